import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ArchiveError, ConfigurationError, ConflictError, InvalidInputError, UnavailableError } from '@perennia/errors';
import { EmbeddedPostgres } from '@perennia/postgres-embedded';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { createLogger } from '@perennia/telemetry';
import { checkServer } from './check-server.js';
import { connectDatabases } from './connect-databases.js';
import type { SqlRunner } from './database.js';

const addTenant = 'insert into control.tenant (tenant_id, name) values ($1, $2) returning name';

const add = (sql: SqlRunner, tenant: string) => sql.query('update control.tenant set name = (name::int + 1)::text where tenant_id = $1', [tenant]);

describe('PlaneDatabase', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await cloneTemplateDatabase({ poolSize: 4 });
  });
  afterAll(() => database.close());

  it('gives the rows of every kind of statement, bigint as number', async () => {
    const { control } = database;
    expect(await control.query(addTenant, ['a', 'A'])).toEqual([{ name: 'A' }]);
    expect(await control.query(`update control.tenant set name = 'B' where tenant_id = 'a' returning name`)).toEqual([{ name: 'B' }]);
    expect(await control.query(`delete from control.tenant where tenant_id = 'a' returning name`)).toEqual([{ name: 'B' }]);
    expect(await control.query('select 9007199254740991::bigint as large')).toEqual([{ large: Number.MAX_SAFE_INTEGER }]);
  });

  it('sorts errors by what can be done, and keeps no values of the driver', async () => {
    const { control } = database;
    const failure = (sql: string, parameters: unknown[] = []): Promise<Error> => control.query(sql, parameters).then(() => Promise.reject(new Error('no error')), (error: Error) => error);
    const duplicate = await failure(addTenant, ['default', 'DOE^JANE']);
    expect(duplicate).toBeInstanceOf(ConflictError);
    expect(duplicate).toMatchObject({ details: { sqlState: '23505', table: 'tenant', constraint: 'tenant_pkey' } });
    const invalid = await failure('select $1::int', ['DOE^JANE']);
    expect(invalid).toBeInstanceOf(InvalidInputError);
    for (const error of [duplicate, invalid]) expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('DOE');
    expect(await failure('select pg_terminate_backend(pg_backend_pid())')).toBeInstanceOf(UnavailableError);
    // The pool may hand the lost connection out once more before it sees its end.
    const alive = (): Promise<unknown[]> => control.query('select 1 as alive');
    expect(await alive().catch(alive)).toEqual([{ alive: 1 }]);
  });

  it('runs a transaction again that was given up in a deadlock', async () => {
    const { control } = database;
    await control.query(addTenant, ['x', '0']);
    await control.query(addTenant, ['y', '0']);
    let arrivals = 0;
    const bothHoldOne = Promise.withResolvers<void>();
    const attempts = { first: 0, second: 0 };
    const crossing = (who: 'first' | 'second', one: string, other: string) => control.transaction(async (sql) => {
      attempts[who]++;
      await add(sql, one);
      if (++arrivals === 2) bothHoldOne.resolve();
      await bothHoldOne.promise;
      await add(sql, other);
    });
    await Promise.all([crossing('first', 'x', 'y'), crossing('second', 'y', 'x')]);
    // One of them is given up at least once; on a busy machine they may meet again.
    expect(attempts.first + attempts.second).toBeGreaterThanOrEqual(3);
    expect(await control.query(`select name from control.tenant where tenant_id in ('x', 'y')`)).toEqual([{ name: '2' }, { name: '2' }]);
  });

  it('runs a transaction again to which another was quicker at an index that its upsert does not look at', async () => {
    const { imaging } = database;
    await imaging.query('create table imaging.twice (id int primary key, name text unique, n int not null default 1)');
    const held = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const quicker = imaging.transaction(async (sql) => {
      await sql.query(`insert into imaging.twice (id, name) values (1, 'a')`);
      held.resolve();
      await released.promise;
    });
    await held.promise;
    let attempts = 0;
    const slower = imaging.transaction(async (sql) => {
      attempts += 1;
      // The first attempt meets the other's name and waits for its commit, the second finds the row.
      const id = attempts === 1 ? 2 : 1;
      if (attempts === 1) setTimeout(released.resolve, 100);
      await sql.query(`insert into imaging.twice as t (id, name) values ($1, 'a') on conflict (id) do update set n = t.n + 1`, [id]);
    });
    await Promise.all([quicker, slower]);
    expect(attempts).toBe(2);
    expect(await imaging.query('select id, n from imaging.twice')).toEqual([{ id: 1, n: 2 }]);
    await imaging.query('drop table imaging.twice');
  });

  it('plans a prepared statement once a connection, and again on a new one', async () => {
    const { imaging } = database;
    const TEXT = 'select 12 / $1::int as n';
    await imaging.transaction(async (sql) => {
      for (const n of [1, 2, 3]) expect(await sql.prepared(TEXT, [n])).toEqual([{ n: 12 / n }]);
      expect(await sql.query('select count(*) as kept from pg_prepared_statements where statement = $1', [TEXT])).toEqual([{ kept: 1 }]);
    });
    await expect(imaging.prepared(TEXT, [0])).rejects.toBeInstanceOf(ArchiveError);
    await imaging.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()');
    const again = (): Promise<unknown> => imaging.prepared(TEXT, [4]);
    // The first may meet a connection that is just being lost.
    expect(await again().catch(again)).toEqual([{ n: 3 }]);
  });

  it('gives up a transaction that collides every time', async () => {
    let attempts = 0;
    const hopeless = database.control.transaction(async (sql) => {
      attempts++;
      await sql.query(`do $$ begin raise exception using errcode = '40001'; end $$`);
    });
    await expect(hopeless).rejects.toBeInstanceOf(UnavailableError);
    expect(attempts).toBe(5);
  });

  it('rolls back and passes on an error of the work itself, once', async () => {
    let attempts = 0;
    const failing = database.control.transaction(async (sql) => {
      attempts++;
      await sql.query(addTenant, ['rolled-back', '']);
      throw Object.assign(new RangeError('mine'), { code: 'ENOENT' });
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(attempts).toBe(1);
    expect(await database.control.query(`select 1 from control.tenant where tenant_id = 'rolled-back'`)).toEqual([]);
  });
});

describe('checkServer', () => {
  it('refuses a server that may lose what was acknowledged, in one sentence', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'unsafe-'));
    const log = createLogger('test', 'silent');
    for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
      const server = await EmbeddedPostgres.start({ dataDir, log, overrides: { [setting]: 'off' } });
      const refused = connectDatabases({ controlUrl: server.url, imagingUrl: server.url });
      await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
      await expect(refused).rejects.toThrow(`The database runs with ${setting} = off and could lose what was acknowledged.`);
      await server.stop();
    }
    rmSync(dataDir, { recursive: true });
  });

  it.each([[14, true], [15, false], [18, false], [19, true]])('refuses PostgreSQL %i: %s', async (major, refused) => {
    const query = async <Row>(): Promise<Row[]> => [{ major, fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' }] as Row[];
    const sql: SqlRunner = { query, prepared: query };
    await (refused ? expect(checkServer(sql)).rejects.toThrow(`PostgreSQL ${major}`) : expect(checkServer(sql)).resolves.toBeUndefined());
  });

  it('says that a server cannot be reached, and that it may be there later', async () => {
    const url = 'postgres://nobody:x@127.0.0.1:1/none';
    await expect(connectDatabases({ controlUrl: url, imagingUrl: url })).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true });
  });
});
