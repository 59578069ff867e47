// Turns an error of the file system into one of ours, by what the caller can do about it.
import { type ArchiveError, StoreFullError, UnavailableError } from '@perennia/errors';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** @param action what was tried, as in "write a landing segment" */
export function asDiskError(error: unknown, action: string): ArchiveError {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof StoreFullError || error instanceof UnavailableError) return error;
  if (code !== undefined && FULL.has(code)) {
    return new StoreFullError(`No room to ${action}.`, { cause: error, details: { code }, remedy: 'Free space on the disk; it goes on by itself.' });
  }
  return new UnavailableError(`Could not ${action}.`, { cause: error, details: { code: code ?? null }, remedy: 'Look at the disk and the log of the system.' });
}
