// What of an error may stand in a log. Database errors quote values and parameters (names, patient ids): of them only the
// SQLSTATE and the names of table and constraint are kept.
import { ArchiveError } from '@perennia/errors';

const DEEPEST_CAUSE = 4;

interface DatabaseError extends Error {
  code: string;
  severity: string;
  table?: string;
  constraint?: string;
}
const isDatabaseError = (error: Error): error is DatabaseError =>
  'severity' in error && 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code));

/** The frames without the first lines: those repeat the message. */
const framesOf = (error: Error): string[] => (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)).slice(0, 8).map((line) => line.trim());

export function errorForLog(thrown: unknown, depth = 0): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { type: typeof thrown };
  if ('driverError' in thrown && thrown.driverError instanceof Error) return errorForLog(thrown.driverError, depth);
  const shown: Record<string, unknown> = { type: thrown.name };
  if (isDatabaseError(thrown)) {
    Object.assign(shown, { code: thrown.code, message: `PostgreSQL error ${thrown.code}`, table: thrown.table, constraint: thrown.constraint });
  } else {
    Object.assign(shown, { code: (thrown as { code?: unknown }).code, message: thrown.message });
  }
  if (thrown instanceof ArchiveError) Object.assign(shown, { retriable: thrown.retriable, details: thrown.details });
  shown['frames'] = framesOf(thrown);
  if (thrown.cause !== undefined && depth < DEEPEST_CAUSE) shown['cause'] = errorForLog(thrown.cause, depth + 1);
  return shown;
}
