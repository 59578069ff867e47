// JSON lines on stdout. Log ids, codes, counts and durations; never names, patient ids, dates of birth, accession numbers or values.
import { pino, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

/** @param level a pino level; @param role which part of the archive speaks */
export function createLogger(role: string, level = 'info'): Logger {
  return pino({ level, base: { role, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}
