// Builders of documented options. Each says meaning, unit, default and bound once; the loader, the errors and the reference
// page all read them from there.
import { z } from 'zod';
import { formatDurationMs, formatSizeBytes, parseDurationMs, parseSizeBytes } from './quantity.js';

/** What `.meta()` of an option may carry beside its `description`. */
export interface OptionMeta {
  description?: string;
  /** Unit of the value inside the program and on the reference page. */
  unit?: string;
  /** Bound in words. */
  bound?: string;
  /** Never shown: `vna config` prints that it is set. */
  secret?: boolean;
  kind?: 'duration' | 'size';
}

interface Quantity {
  meaning: string;
  default: string;
  min: string;
  max: string;
}
interface Count {
  meaning: string;
  default: number;
  min: number;
  max: number;
  unit?: string;
}

function quantity(parse: (text: string) => number, show: (value: number) => string, kind: 'duration' | 'size', unit: string, option: Quantity) {
  const [least, most] = [parse(option.min), parse(option.max)];
  const bound = `${show(least)} to ${show(most)}`;
  return z
    .union([z.string(), z.number()])
    .transform((value, context): number => {
      try {
        return typeof value === 'number' ? value : parse(value);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .refine((value) => value >= least && value <= most, { message: `must be ${bound}` })
    .default(parse(option.default))
    .meta({ description: option.meaning, unit, bound, kind } satisfies OptionMeta);
}

/** A duration: `30s` in files and environment, milliseconds inside. */
export const durationOption = (option: Quantity) => quantity(parseDurationMs, formatDurationMs, 'duration', 'milliseconds', option);
/** A size: `8MiB` in files and environment, bytes inside. */
export const sizeOption = (option: Quantity) => quantity(parseSizeBytes, formatSizeBytes, 'size', 'bytes', option);

/** A whole number with its bounds. */
export const countOption = (option: Count) =>
  z
    .int()
    .min(option.min)
    .max(option.max)
    .default(option.default)
    .meta({ description: option.meaning, unit: option.unit ?? 'count', bound: `${option.min} to ${option.max}` } satisfies OptionMeta);

/** A TCP port; 0 lets the system choose (tests). */
export const portOption = (meaning: string, port: number) =>
  countOption({ meaning, default: port, min: 0, max: 65_535, unit: 'TCP port' });

/** A switch. */
export const flagOption = (meaning: string, value: boolean) =>
  z.boolean().default(value).meta({ description: meaning, unit: 'true or false', bound: 'true, false' } satisfies OptionMeta);

/** Several of one kind: a list in files, text separated by commas in the environment. */
export const listOption = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()).filter(Boolean) : value), z.array(item));

/** A text of 1 to 1024 characters. */
export const textOption = (meaning: string, value: string) =>
  z.string().min(1).max(1024).default(value).meta({ description: meaning, unit: 'text', bound: '1 to 1024 characters' } satisfies OptionMeta);
