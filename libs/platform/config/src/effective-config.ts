// What is in force, and where each value came from.
import { IllegalStateError } from '@perennia/errors';
import type { ConfigSection } from './define-config.js';
import type { ConfigOption } from './option-list.js';
import { formatDurationMs, formatSizeBytes } from './quantity.js';

export interface EffectiveValue {
  option: ConfigOption;
  value: unknown;
  /** `default`, the file's name, or `environment VNA_…`. */
  origin: string;
}
export interface ShownValue {
  key: string;
  variable: string;
  value: string;
  origin: string;
}

export class EffectiveConfig {
  readonly #sections = new Map<ConfigSection, object>();

  constructor(readonly values: readonly EffectiveValue[]) {
    for (const section of new Set(values.map(({ option }) => option.section))) {
      const own = values.filter(({ option }) => option.section === section).map(({ option, value }) => [option.key, value]);
      this.#sections.set(section, Object.freeze(new section(Object.fromEntries(own) as never)));
    }
  }

  /** The section's values as an instance of its class. */
  get<Section>(section: new (values: never) => Section): Section {
    const values = this.#sections.get(section as unknown as ConfigSection);
    if (!values) throw new IllegalStateError(`Configuration section ${section.name} was not loaded`);
    return values as Section;
  }

  /** For people: units back in place, secrets masked. */
  shown(): ShownValue[] {
    return this.values.map(({ option, value, origin }) => ({
      key: option.path,
      variable: option.variable,
      value: option.secret && value !== undefined ? '(set, not shown)' : showValue(option, value),
      origin,
    }));
  }
}

export function showValue(option: Pick<ConfigOption, 'kind'>, value: unknown): string {
  if (value === undefined) return '(not set)';
  if (typeof value === 'number' && option.kind === 'duration') return formatDurationMs(value);
  if (typeof value === 'number' && option.kind === 'size') return formatSizeBytes(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
