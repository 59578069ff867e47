// Which HTTP status each kind of error has. Services below never build one.
import {
  ArchiveError, CancelledError, ConflictError, CorruptDataError, InvalidInputError, LimitExceededError, NotFoundError, PlaceMovedError, StoreFullError, UnavailableError,
} from '@perennia/errors';
import { DicomWebError, problemDetails, type DicomWebErrorReason, type ProblemDetails } from '@perennia/dicom-web';
import { FramesNotSeparableError } from '@perennia/egress';
import { UnsupportedTransferSyntaxError } from '@perennia/pixel-codecs';
import { RequestRefusedError } from './request-refused-error.js';

const byReason: Readonly<Record<DicomWebErrorReason, number>> = { syntax: 400, limit: 400, unacceptable: 406 };

const byClass: readonly [abstract new (...parameters: never[]) => ArchiveError, number][] = [
  [InvalidInputError, 400],
  [NotFoundError, 404],
  [FramesNotSeparableError, 406],
  [UnsupportedTransferSyntaxError, 406],
  [ConflictError, 409],
  [LimitExceededError, 413],
  [StoreFullError, 507],
  [PlaceMovedError, 503],
  [UnavailableError, 503],
  [CancelledError, 503],
  [CorruptDataError, 500],
];

/** Errors that nobody foresaw tell the client nothing but that they happened; the log has them. */
export function toProblem(error: unknown): ProblemDetails {
  if (error instanceof RequestRefusedError) return problemDetails(error.status, error.code, error.message);
  if (error instanceof DicomWebError) return problemDetails(byReason[error.reason], `request-${error.reason}`, error.message);
  if (error instanceof ArchiveError) {
    const status = byClass.find(([kind]) => error instanceof kind)?.[1];
    if (status !== undefined) return problemDetails(status, error.code, error.message, error.remedy);
  }
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 && typeof code === 'string') {
    return problemDetails(statusCode, code.replace(/^FST_ERR_/, ''), 'The request cannot be served as it was sent.');
  }
  return problemDetails(500, 'INTERNAL', 'The archive failed to answer this request; its log says why.');
}
