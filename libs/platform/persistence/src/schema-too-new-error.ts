// An older program must not touch data whose layout it does not know.
import { ArchiveError } from '@perennia/errors';

export class SchemaTooNewError extends ArchiveError {
  readonly code = 'SCHEMA_TOO_NEW';

  constructor(schema: string, unknown: readonly string[]) {
    super(`The database schema "${schema}" was made by a newer release than this one.`, {
      details: { unknownMigrations: unknown },
      remedy: 'Start the newer release again, or restore the database from before the upgrade.',
    });
  }
}
