// An older program must not touch data whose layout it does not know.
import { ArchiveError } from '@perennia/errors';

export class SchemaTooNewError extends ArchiveError {
  readonly code = 'SCHEMA_TOO_NEW';

  /** @param unknown migrations that were run and are not known here, oldest first */
  constructor(schema: string, unknown: readonly string[]) {
    super(`The database schema "${schema}" was made by a newer release than this one: it carries the migration ${unknown.at(-1)}.`, {
      details: { unknownMigrations: unknown },
      remedy: 'Start that newer release again, or restore the backup of database and data folder from before the upgrade.',
    });
  }
}
