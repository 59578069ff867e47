// What the database of an archive says, while the archive runs and while it does not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogueDigest, type CatalogueDigest } from '@perennia/indexing';
import { connectDatabases, type ImagingDatabase } from '@perennia/persistence';
import { EmbeddedPostgres } from '@perennia/postgres-embedded';
import { createLogger } from '@perennia/telemetry';

async function using<T>(url: string, work: (imaging: ImagingDatabase) => Promise<T>): Promise<T> {
  const databases = await connectDatabases({ controlUrl: url, imagingUrl: url, poolSize: 2, applicationName: 'upgrade test' });
  try {
    return await work(databases.imaging);
  } finally {
    await databases.close();
  }
}

/** @param data the folder of an archive that runs */
export function whileRunning<T>(data: string, work: (imaging: ImagingDatabase) => Promise<T>): Promise<T> {
  const { databaseUrl } = JSON.parse(readFileSync(join(data, 'run', 'archive.json'), 'utf8')) as { databaseUrl: string };
  return using(databaseUrl, work);
}

/** @param data the folder of an archive that was stopped or killed */
export async function whileStopped<T>(data: string, work: (imaging: ImagingDatabase) => Promise<T>): Promise<T> {
  const server = await EmbeddedPostgres.start({ dataDir: join(data, 'postgres'), log: createLogger('upgrade-test', 'silent') });
  try {
    return await using(server.url, work);
  } finally {
    await server.stop();
  }
}

export interface Contents {
  digest: CatalogueDigest;
  /** Every migration that was run, by schema. */
  migrations: string[];
  /** Every table and index. */
  relations: string[];
}

export async function contentsOf(imaging: ImagingDatabase): Promise<Contents> {
  const relations = await imaging.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class where relnamespace::regnamespace::text in ('control', 'imaging', 'event_log') order by 1`,
  );
  return { digest: await catalogueDigest(imaging), migrations: await migrationsOf(imaging), relations: relations.map(({ name }) => name) };
}

async function migrationsOf(imaging: ImagingDatabase): Promise<string[]> {
  const rows = await imaging.query<{ name: string }>(
    `select 'control ' || name as name from control.schema_migration union all select 'imaging ' || name from imaging.schema_migration
     union all select 'event_log ' || name from event_log.schema_migration order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** How many copies stand in the landing area and how many in packs. */
export async function copiesByTier(imaging: ImagingDatabase): Promise<{ landing: number; filed: number }> {
  const [row] = await imaging.query<{ landing: number; filed: number }>(
    `select count(*) filter (where tier = 'landing')::int as landing, count(*) filter (where tier <> 'landing')::int as filed from imaging.copy`,
  );
  return row!;
}

export const instancesOf = async (imaging: ImagingDatabase): Promise<number> => (await imaging.query<{ n: number }>('select count(*)::int as n from imaging.instance'))[0]!.n;
