// Brings one schema of one database to the state this program knows. Programs that start at the same time take turns by an
// advisory lock: the first migrates, the others find it done. Each migration is one transaction, its line in the list of those
// that were run included: one that fails, or whose program is killed, leaves nothing behind and is run again at the next start.
import { ArchiveError } from '@perennia/errors';
import { Client } from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import { MigrationFailedError } from './migration-failed-error.js';
import { SchemaTooNewError } from './schema-too-new-error.js';
import { SilentLogger } from './silent-logger.js';
import { toArchiveError } from './to-archive-error.js';

export type MigrationClass = new () => MigrationInterface;

export interface SchemaMigrations {
  url: string;
  schema: string;
  /** Oldest first. */
  migrations: readonly MigrationClass[];
}

/** One lock for all schemas: extensions are shared by them. */
const LOCK_KEY = 5_262_021;
const TABLE = 'schema_migration';

/** @returns how many migrations were run; @throws SchemaTooNewError, MigrationFailedError, ConfigurationError, UnavailableError */
export function migrateSchema(url: string, schema: string, migrations: readonly MigrationClass[]): Promise<number> {
  return withClient(url, async (client) => {
    // Ending the session frees the lock.
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    const pending = await pendingNames(client, { url, schema, migrations });
    if (pending.length === 0) return 0;
    try {
      await client.query(`create schema if not exists ${client.escapeIdentifier(schema)}`);
      await runPending(url, schema, migrations);
    } catch (error) {
      const known = toArchiveError(error);
      throw known instanceof ArchiveError ? new MigrationFailedError(schema, known) : known;
    }
    return pending.length;
  });
}

/** The names of migrations that a start would run; changes nothing. @throws SchemaTooNewError, ConfigurationError, UnavailableError */
export function pendingMigrations(wanted: SchemaMigrations): Promise<string[]> {
  return withClient(wanted.url, (client) => pendingNames(client, wanted));
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'perennia-migrations' });
  // What is lost while a query runs is told by the query; an event nobody listens to would end the program.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw toArchiveError(error);
  } finally {
    await client.end();
  }
}

async function pendingNames(client: Client, { schema, migrations }: SchemaMigrations): Promise<string[]> {
  const names = migrations.map(({ name }) => name);
  const executed = await executedMigrations(client, schema);
  const unknown = executed.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new SchemaTooNewError(schema, unknown);
  return names.filter((name) => !executed.includes(name));
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
    logger: new SilentLogger(),
  });
  try {
    await source.initialize();
    await source.runMigrations();
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}
