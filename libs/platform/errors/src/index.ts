export { ArchiveError, type ArchiveErrorOptions } from './archive-error.js';
export {
  AlreadyExistsError, CancelledError, ConfigurationError, ConflictError, CorruptDataError, IllegalStateError,
  InvalidInputError, LimitExceededError, NotFoundError, PlaceMovedError, StoreFullError, UnavailableError,
} from './errors.js';
