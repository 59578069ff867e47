// The errors of the archive, by what the caller can do about them.
import { ArchiveError } from './archive-error.js';

/** What was sent is wrong; sending it again unchanged will fail again. */
export class InvalidInputError extends ArchiveError {
  readonly code: string = 'INVALID_INPUT';
}
/** The named thing does not exist, or not for this caller. */
export class NotFoundError extends ArchiveError {
  readonly code: string = 'NOT_FOUND';
}
/** The request contradicts what is kept. */
export class ConflictError extends ArchiveError {
  readonly code: string = 'CONFLICT';
}
/** A limit that protects the archive was reached by this request. */
export class LimitExceededError extends ArchiveError {
  readonly code: string = 'LIMIT_EXCEEDED';
}
/** No room: disk, landing area or quota is full. Trying again later may succeed. */
export class StoreFullError extends ArchiveError {
  readonly code: string = 'STORE_FULL';
  override readonly retriable = true;
}
/** Something we need is down or slow. Trying again later may succeed. */
export class UnavailableError extends ArchiveError {
  readonly code: string = 'UNAVAILABLE';
  override readonly retriable = true;
}
/** Bytes are not what their digest or format says. */
export class CorruptDataError extends ArchiveError {
  readonly code: string = 'CORRUPT_DATA';
}
/** The bytes are no longer at this place: look the place up again. */
export class PlaceMovedError extends ArchiveError {
  readonly code: string = 'PLACE_MOVED';
  override readonly retriable = true;
}
/** The object exists already and is never overwritten. */
export class AlreadyExistsError extends ArchiveError {
  readonly code: string = 'ALREADY_EXISTS';
}
/** A setting is missing, unknown or contradictory: the program must not start. */
export class ConfigurationError extends ArchiveError {
  readonly code: string = 'CONFIGURATION';
}
/** A state machine was asked for a transition that it does not have: a defect of ours. */
export class IllegalStateError extends ArchiveError {
  readonly code: string = 'ILLEGAL_STATE';
}
/** The caller gave up or is being stopped. */
export class CancelledError extends ArchiveError {
  readonly code: string = 'CANCELLED';
}
