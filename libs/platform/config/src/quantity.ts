// Durations (`30s`) and sizes (`8MiB`) as people write them, and back. Inside the program there are numbers only.
import { InvalidInputError } from '@perennia/errors';

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40,
};

function parseQuantity(text: string, units: Readonly<Record<string, number>>, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const factor = units[match?.[2] ?? ''];
  if (!match || factor === undefined) {
    throw new InvalidInputError(`"${text}" is no ${what}: write a number and one of ${Object.keys(units).join(', ')}`);
  }
  return Math.round(Number(match[1]) * factor);
}

/** `250ms`, `30s`, `5m`, `2h`, `7d` → milliseconds. */
export const parseDurationMs = (text: string): number => parseQuantity(text, DURATION_MS, 'duration');
/** `512B`, `8MiB`, `1GB` → bytes. */
export const parseSizeBytes = (text: string): number => parseQuantity(text, SIZE_BYTES, 'size');

function format(value: number, units: readonly [string, number][]): string {
  const [name, factor] = units.find(([, each]) => value >= each && value % each === 0) ?? units.at(-1)!;
  return `${value / factor}${name}`;
}

/** The shortest exact spelling, largest unit first. */
export const formatDurationMs = (ms: number): string =>
  ms === 0 ? '0s' : format(ms, [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000], ['ms', 1]]);
export const formatSizeBytes = (bytes: number): string =>
  bytes === 0 ? '0B' : format(bytes, [['TiB', 2 ** 40], ['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10], ['B', 1]]);
