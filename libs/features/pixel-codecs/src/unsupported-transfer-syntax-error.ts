// A refusal that says what can be had instead.
import { ArchiveError, type ArchiveErrorOptions } from '@perennia/errors';

/** There is no way from the stored transfer syntax of these pixels to the one asked for. */
export class UnsupportedTransferSyntaxError extends ArchiveError {
  readonly code = 'UNSUPPORTED_TRANSFER_SYNTAX';

  constructor(
    message: string,
    /** UIDs of the transfer syntaxes in which this frame can be had, the stored one first. */
    readonly alternatives: readonly string[],
    options: ArchiveErrorOptions = {},
  ) {
    super(message, options);
  }
}
