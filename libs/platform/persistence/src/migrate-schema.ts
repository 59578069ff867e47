// Brings one schema of one database to the state this program knows. Programs that start at the same time take turns by an
// advisory lock: the first migrates, the others find it done. Each migration is one transaction.
import { Client } from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import { SchemaTooNewError } from './schema-too-new-error.js';
import { toArchiveError } from './to-archive-error.js';

export type MigrationClass = new () => MigrationInterface;

/** One lock for all schemas: extensions are shared by them. */
const LOCK_KEY = 5_262_021;
const TABLE = 'schema_migration';

/** @returns how many migrations were run; @throws SchemaTooNewError, ConfigurationError, UnavailableError */
export async function migrateSchema(url: string, schema: string, migrations: readonly MigrationClass[]): Promise<number> {
  const client = new Client({ connectionString: url, application_name: 'perennia-migrations' });
  try {
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    const names = migrations.map(({ name }) => name);
    const executed = await executedMigrations(client, schema);
    const unknown = executed.filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new SchemaTooNewError(schema, unknown);
    if (executed.length === names.length) return 0;
    await client.query(`create schema if not exists ${client.escapeIdentifier(schema)}`);
    await runPending(url, schema, migrations);
    return names.length - executed.length;
  } catch (error) {
    throw toArchiveError(error);
  } finally {
    // Ending the session frees the lock.
    await client.end();
  }
}

async function executedMigrations(client: Client, schema: string): Promise<string[]> {
  const table = `${client.escapeIdentifier(schema)}.${TABLE}`;
  const { rows: [found] } = await client.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [table]);
  if (!found!.exists) return [];
  const { rows } = await client.query<{ name: string }>(`select name from ${table} order by id`);
  return rows.map(({ name }) => name);
}

async function runPending(url: string, schema: string, migrations: readonly MigrationClass[]): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    extra: { connectionString: url, max: 2 },
    applicationName: 'perennia-migrations',
    schema,
    migrations: [...migrations],
    migrationsTableName: TABLE,
    migrationsTransactionMode: 'each',
    installExtensions: false,
    logging: false,
  });
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}
