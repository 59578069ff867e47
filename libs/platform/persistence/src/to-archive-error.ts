// Errors of PostgreSQL as errors of ours, sorted by what the caller can do. Only codes and names of tables and constraints
// are kept: messages, details and parameters of the driver carry values of patients.
import { isNativeError } from 'node:util/types';
import { ArchiveError, ConfigurationError, ConflictError, CorruptDataError, IllegalStateError, InvalidInputError, StoreFullError, UnavailableError } from '@perennia/errors';

interface DriverError {
  code?: string;
  /** Only errors that the server sent have one. */
  severity?: string;
  constraint?: string;
  table?: string;
  message?: string;
}
type ErrorClass = new (message: string, options: { details: Record<string, unknown>; remedy?: string }) => ArchiveError;

const RETRY_AT_ONCE = ['40001', '40P01', '23505'];
const LOST_CONNECTION = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'];
const LOST_CONNECTION_TEXT = /connection (terminated|ended)|not queryable|client was closed|timeout exceeded when trying to connect|timeout expired|connection error|pool after calling end/i;

/** By SQLSTATE prefix (PostgreSQL manual, appendix A); the longest match wins. */
const bySqlState: readonly [prefix: string, kind: ErrorClass, message: string][] = [
  ['08', UnavailableError, 'The connection to the database was lost.'],
  ['22', InvalidInputError, 'The database refused a value.'],
  ['23', ConflictError, 'The change contradicts what is kept.'],
  ['23502', InvalidInputError, 'The database misses a required value.'],
  ['23514', InvalidInputError, 'The database refused a value that breaks a rule.'],
  ['28', ConfigurationError, 'The database refused the user name or password.'],
  ['3D000', ConfigurationError, 'The database named in the setting does not exist.'],
  ['40', UnavailableError, 'The transaction collided with another one.'],
  ['42501', ConfigurationError, 'The database user lacks a right.'],
  ['42', IllegalStateError, 'The database did not understand a statement.'],
  ['53', UnavailableError, 'The database has no resources left.'],
  ['53100', StoreFullError, 'The disk of the database is full.'],
  ['55P03', UnavailableError, 'A lock in the database was not given in time.'],
  ['57', UnavailableError, 'The database is stopping or starting.'],
  ['57014', UnavailableError, 'A statement took too long.'],
  ['58', UnavailableError, 'The database met an error of its system.'],
  ['XX', CorruptDataError, 'The database found its data damaged.'],
];

/** Gives an ArchiveError back unchanged and wraps whatever came from the driver; other errors are returned as they are. */
export function toArchiveError(error: unknown): unknown {
  if (error instanceof ArchiveError) return error;
  const driver = driverError(error);
  if (!driver) return error;
  const details = { sqlState: driver.code, table: driver.table, constraint: driver.constraint };
  if (isLostConnection(driver)) return new UnavailableError('The database cannot be reached.', { details });
  const [, Kind, message] = bySqlState
    .filter(([prefix]) => driver.code?.startsWith(prefix))
    .reduce((best, entry) => (entry[0].length > best[0].length ? entry : best), ['', IllegalStateError, 'The database reported an unexpected error.'] as (typeof bySqlState)[number]);
  return new Kind(message, { details });
}

/**
 * Whether the same transaction may succeed at once: a serialization failure or a deadlock, in which it was the one given up, or a row that
 * somebody else was quicker to insert. `on conflict (…) do update` looks at one unique index only: two first inserts of a study at the same
 * moment, and the slower one fails at the other index; run again, it finds the row.
 */
export function isTransactionCollision(error: unknown): boolean {
  return (error instanceof UnavailableError || error instanceof ConflictError) && RETRY_AT_ONCE.includes(String(error.details['sqlState']));
}

/** TypeORM puts the driver's error into `driverError`. */
function driverError(error: unknown): DriverError | null {
  if (!isNativeError(error)) return null;
  const inner = (error as Error & { driverError?: unknown }).driverError;
  const candidate = (isNativeError(inner) ? inner : error) as Error & DriverError;
  const fromDriver = inner !== undefined || candidate.severity !== undefined || isLostConnection(candidate);
  return fromDriver ? candidate : null;
}

function isLostConnection(error: DriverError): boolean {
  return LOST_CONNECTION.includes(error.code ?? '') || (error.code === undefined && LOST_CONNECTION_TEXT.test(error.message ?? ''));
}
