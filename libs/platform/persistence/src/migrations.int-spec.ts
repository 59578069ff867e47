import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { EntityMetadata } from 'typeorm';
import { cloneTemplateDatabase, sharedTestServer, type TestDatabase } from '@perennia/testing';
import { runMigrations, planeMigrations } from './run-migrations.js';
import { SchemaTooNewError } from './schema-too-new-error.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const planes = ['control', 'imaging'] as const;
const typeName = (type: string): string => (type === 'timestamptz' ? 'timestamp with time zone' : type);
const mapped = (entity: EntityMetadata): Record<string, string> =>
  Object.fromEntries(entity.columns.map((column) => [column.databaseName, `${typeName(String(column.type))}${column.isArray ? '[]' : ''}${column.isNullable ? ' null' : ''}`]));

describe.each(planes)('migrations of the plane %s', (plane) => {
  const folder = join(here, plane, 'migrations');
  const files = readdirSync(folder).toSorted();

  it.each(files)('%s says what it does, which lock it takes, how long it lasts and whether older programs can live with it', (file) => {
    const head = readFileSync(join(folder, file), 'utf8').split('\nimport ')[0]!.replaceAll('\n// ', ' ');
    for (const word of ['// Purpose: ', ' Lock: ', ' Duration: ', ' Backward compatible: ']) expect(head).toContain(word);
  });

  it('are all registered, in the order of their times', () => {
    const stamps = files.map((file) => file.split('-')[0]);
    expect(planeMigrations[plane].map(({ name }) => name.slice(-13))).toEqual(stamps);
    expect(new Set(stamps).size).toBe(stamps.length);
  });

  it('touch their own schema only', () => {
    const other = plane === 'control' ? 'imaging' : 'control';
    for (const file of files) expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(new RegExp(`\\b${other}\\.\\w`));
  });
});

describe('entities', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await cloneTemplateDatabase();
  });
  afterAll(() => database.close());

  it('agree with the tables: the same columns, types and nullability', async () => {
    const rows = await database.imaging.query<{ table: string; column: string; type: string }>(
      `select n.nspname || '.' || c.relname as "table", a.attname as "column", format_type(a.atttypid, null) || case when a.attnotnull then '' else ' null' end as type
       from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where n.nspname = any($1) and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> all($2)`,
      [planes, ['schema_migration', 'outbox', 'consumer_progress', 'job', 'filing_claim', 'landing_owner']],
    );
    const tables: Record<string, Record<string, string>> = {};
    for (const { table, column, type } of rows) (tables[table] ??= {})[column] = type;
    const entities = Object.fromEntries(database.imaging.dataSource.entityMetadatas.map((entity) => [`${entity.schema}.${entity.tableName}`, mapped(entity)]));
    expect(entities).toEqual(tables);
  });
});

describe('runMigrations', () => {
  let server: string;
  const names: string[] = [];
  const onServer = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: server });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  const emptyDatabase = async (): Promise<string> => {
    const name = `test_${process.pid}_${9000 + names.length}`;
    names.push(name);
    await onServer(`create database ${name}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    return url.toString();
  };
  beforeAll(async () => {
    server = await sharedTestServer();
  });
  afterAll(async () => {
    for (const name of names) await onServer(`drop database if exists ${name} with (force)`);
  });

  it('migrates once when several programs start at the same time', async () => {
    const url = await emptyDatabase();
    const counts = await Promise.all(Array.from({ length: 4 }, () => runMigrations({ controlUrl: url, imagingUrl: url })));
    const all = { control: planeMigrations.control.length, imaging: planeMigrations.imaging.length };
    expect(counts.reduce((sum, { control }) => sum + control, 0)).toBe(all.control);
    expect(counts.reduce((sum, { imaging }) => sum + imaging, 0)).toBe(all.imaging);
    expect(await runMigrations({ controlUrl: url, imagingUrl: url })).toEqual({ control: 0, imaging: 0 });
  });

  it('refuses in one sentence when a newer release has been here', async () => {
    const url = await emptyDatabase();
    await runMigrations({ controlUrl: url, imagingUrl: url });
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(`insert into imaging.schema_migration (timestamp, name) values (9999999999999, 'FromTheFuture9999999999999')`);
    await client.end();
    const refusal = runMigrations({ controlUrl: url, imagingUrl: url });
    await expect(refusal).rejects.toBeInstanceOf(SchemaTooNewError);
    await expect(refusal).rejects.toThrow('The database schema "imaging" was made by a newer release than this one: it carries the migration FromTheFuture9999999999999.');
  });
});
