// Each test file gets a database of its own: a clone of a template in which the migrations have run once. Safe with several
// workers at once and after runs that were killed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { connectDatabases, runMigrations, type ControlDatabase, type Databases, type ImagingDatabase } from '@perennia/persistence';
import { sharedTestServer } from './shared-test-server.js';

export interface TestDatabase {
  url: string;
  control: ControlDatabase;
  imaging: ImagingDatabase;
  /** Ends all connections to the database and drops it. */
  close(): Promise<void>;
}
export interface TestDatabaseOptions {
  /** Connections of the two planes together. Default 4. */
  poolSize?: number;
}

const LOCK_KEY = 5_262_022;
let clones = 0;

/** A migrated, empty database. Call it in beforeAll, `close` in afterAll. */
export async function cloneTemplateDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = await sharedTestServer();
  const name = `test_${process.pid}_${++clones}`;
  await withServer(server, async (client) => {
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    const template = await ensureTemplate(client, server);
    if (clones === 1) await dropLeftovers(client);
    await client.query('select pg_advisory_unlock($1)', [LOCK_KEY]);
    await client.query(`create database ${name} template ${template}`);
  });
  const url = databaseUrl(server, name);
  const databases: Databases = await connectDatabases({ controlUrl: url, imagingUrl: url, poolSize: options.poolSize ?? 4, applicationName: name });
  const close = async (): Promise<void> => {
    await databases.close();
    await withServer(server, (client) => client.query(`drop database if exists ${name} with (force)`));
  };
  return { url, control: databases.control, imaging: databases.imaging, close };
}

async function ensureTemplate(client: Client, server: string): Promise<string> {
  const template = `template_${migrationFingerprint()}`;
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [template]);
  if (rowCount) return template;
  // One without the flag was left half migrated by a killed run.
  await client.query(`drop database if exists ${template} with (force)`);
  await client.query(`create database ${template}`);
  const url = databaseUrl(server, template);
  await runMigrations({ controlUrl: url, imagingUrl: url });
  await client.query(`alter database ${template} with is_template true allow_connections false`);
  return template;
}

/** Databases of test processes that have ended. */
async function dropLeftovers(client: Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(String.raw`select datname from pg_database where datname ~ '^test_\d+_\d+$'`);
  const orphans = rows.map(({ datname }) => datname).filter((name) => !existsSync(`/proc/${name.split('_')[1]}`));
  for (const name of orphans) await client.query(`drop database if exists ${name} with (force)`);
}

/** Changes with the text of any migration, so that no run uses the template of an older text. */
function migrationFingerprint(): string {
  const sources = fileURLToPath(new URL('../../../platform/persistence/src/', import.meta.url));
  const hash = createHash('sha256');
  for (const plane of ['control', 'imaging']) {
    const folder = join(sources, plane, 'migrations');
    for (const file of readdirSync(folder).toSorted()) hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.update(readFileSync(join(sources, 'run-migrations.ts'))).update(readFileSync(join(sources, 'queue-tables.ts'))).digest('hex').slice(0, 16);
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
}

async function withServer<T>(server: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
