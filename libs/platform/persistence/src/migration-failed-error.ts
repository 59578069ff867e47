// A step of a schema could not be done; nothing of it was kept.
import { ArchiveError } from '@perennia/errors';

export class MigrationFailedError extends ArchiveError {
  readonly code = 'MIGRATION_FAILED';
  override readonly retriable: boolean;

  constructor(schema: string, cause: ArchiveError) {
    super(`The database schema "${schema}" could not be brought up to date: ${cause.message}`, {
      cause,
      details: cause.details,
      remedy: 'Nothing of the step that failed was kept: see the log of the database, remove the cause and start again.',
    });
    this.retriable = cause.retriable;
  }
}
