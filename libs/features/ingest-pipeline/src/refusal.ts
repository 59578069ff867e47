// An object that is not taken, with the reason its sender and the administrator are told.
import { ArchiveError, ConflictError, CorruptDataError, StoreFullError, UnavailableError } from '@perennia/errors';
import { DicomParseError } from '@perennia/dicom-data';
import { refusalStatuses, type RefusalCode } from './refusal-code.js';
import type { RefusedOutcome } from './receive-context.js';

export class Refusal extends Error {
  constructor(
    readonly reasonCode: RefusalCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Refusal';
  }

  /** Any error as a refusal; unknown ones tell the sender nothing of our insides. */
  static of(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    if (error instanceof DicomParseError) return new Refusal(codeOfParseError(error), error.message, { cause: error });
    if (error instanceof StoreFullError) return new Refusal('STORE_FULL', 'The archive has no room for this object now. Send it again later.', { cause: error });
    // Conflict: another process has taken the landing area over, and this one ends.
    if (error instanceof UnavailableError || error instanceof ConflictError) return new Refusal('STORE_UNAVAILABLE', 'The archive cannot store now. Send it again later.', { cause: error });
    // What the landing area did not keep as it was sent: its sender has nothing to do with it.
    if (error instanceof CorruptDataError) return new Refusal('STORE_UNAVAILABLE', 'The archive could not store this object as it was sent. Send it again later.', { cause: error });
    const known = error instanceof ArchiveError ? ` (${error.code})` : '';
    return new Refusal('INTERNAL', `The archive failed while storing${known}. Nothing was stored; see its log.`, { cause: error });
  }

  outcome(uids: { sopClassUid?: string; sopInstanceUid?: string }): RefusedOutcome {
    return { outcome: 'refused', reasonCode: this.reasonCode, ...refusalStatuses[this.reasonCode], message: this.message, ...uids };
  }
}

function codeOfParseError(error: DicomParseError): RefusalCode {
  switch (error.code) {
    case 'TRUNCATED':
      return 'TRUNCATED_DATASET';
    case 'LIMIT_EXCEEDED':
      return 'LIMIT_EXCEEDED';
    case 'NOT_DICOM':
      return 'NOT_DICOM';
    default:
      return 'MALFORMED_DATASET';
  }
}
