export { checkServer } from './check-server.js';
export { connectDatabases, type DatabaseOptions, type Databases } from './connect-databases.js';
export { ControlDatabase, ImagingDatabase, type SqlRunner } from './database.js';
export { migrateSchema, type MigrationClass } from './migrate-schema.js';
export { planeMigrations, runMigrations } from './run-migrations.js';
export { SchemaTooNewError } from './schema-too-new-error.js';
export { toArchiveError } from './to-archive-error.js';
