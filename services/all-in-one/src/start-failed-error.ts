// A role process that could not start, as its supervisor learns of it.
import { ArchiveError } from '@perennia/errors';
import type { StartFailure } from './start-failure.js';

export class StartFailedError extends ArchiveError {
  readonly code = 'START_FAILED';
  override readonly retriable: boolean;

  constructor(failure: StartFailure) {
    super(failure.message, failure.remedy === undefined ? {} : { remedy: failure.remedy });
    this.retriable = failure.retriable;
  }
}
