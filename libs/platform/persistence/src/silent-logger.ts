// TypeORM prints why a migration failed with the words of the server, which may quote values of patients, even where logging is off.
import type { Logger } from 'typeorm';

export class SilentLogger implements Logger {
  logQuery(): void {}
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
