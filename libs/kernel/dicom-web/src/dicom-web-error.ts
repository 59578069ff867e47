// What is wrong with a request, for a caller who turns it into an answer. Messages name parameters and limits, never values.

/** `syntax`: cannot be understood; `limit`: too much of something; `unacceptable`: understood, but we have nothing of that kind. */
export type DicomWebErrorReason = 'syntax' | 'limit' | 'unacceptable';

export class DicomWebError extends Error {
  constructor(
    readonly reason: DicomWebErrorReason,
    message: string,
  ) {
    super(message);
    this.name = 'DicomWebError';
  }
}
