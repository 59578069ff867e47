// JSON lines on stdout. Log ids, codes, counts and durations; never names, patient ids, dates of birth, accession numbers or
// values. Two nets below that rule: telling keys are masked, and of an error only what cannot carry data is written.
import { pino, type Logger as PinoLogger } from 'pino';
import { errorForLog } from './error-for-log.js';
import type { Tracing } from './tracing.js';

export type Logger = PinoLogger;

/** The token under which a process's logger is injected. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the class is only the token of the interface
export abstract class AppLogger {}
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export interface AppLogger extends PinoLogger {}

const TELLING_KEYS = [
  'patientName', 'patientId', 'patientBirthDate', 'patientSex', 'accessionNumber', 'studyDescription', 'searchName',
  'referringPhysicianName', 'attributes', 'dataset', 'receipt', 'parameters', 'password', 'authorization',
];
const MASKED_PATHS = TELLING_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

export interface LoggerOptions {
  /** A pino level: trace, debug, info, warn, error, fatal, silent. */
  level?: string;
  /** Where the lines go; stdout unless told. */
  destination?: { write(line: string): void };
  /** Lines written within a span get `trace_id` and `span_id`. */
  tracing?: Tracing;
}

/** @param role which part of the archive speaks */
export function createLogger(role: string, options: LoggerOptions | string = {}): Logger {
  const { level = 'info', destination, tracing }: LoggerOptions = typeof options === 'string' ? { level: options } : options;
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: MASKED_PATHS, censor: '[masked]' },
      serializers: { err: errorForLog, error: errorForLog },
      ...(tracing?.enabled && { mixin: () => ({ ...tracing.activeFields() }) }),
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
