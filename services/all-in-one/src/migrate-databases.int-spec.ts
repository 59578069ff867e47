// An upgrade that is broken off anywhere leaves a database that the next start brings up to date: each migration is there as a whole or
// not at all. Broken off by the server itself at every statement that changes the schema (it fails, or its session is ended), and by the
// program's death after each message it sends.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { MigrationFailedError, planeMigrations, SchemaTooNewError } from '@perennia/persistence';
import { sharedTestServer } from '@perennia/testing';
import { migrateDatabases, pendingBySchema } from './migrate-databases.js';

let server: string;
const databases: string[] = [];

/** One connection a database, kept: this is done hundreds of times. */
const clients = new Map<string, Promise<Client>>();

async function sql<Row extends object>(url: string, text: string, parameters: unknown[] = []): Promise<Row[]> {
  const connected = clients.get(url) ?? (async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    return client;
  })();
  clients.set(url, connected);
  return (await (await connected).query<Row>(text, parameters)).rows;
}

async function emptyDatabase(): Promise<string> {
  const name = `test_${process.pid}_${7000 + databases.length}`;
  databases.push(name);
  await sql(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
}

/** Every table with its columns, every index, every migration that was run. */
async function shapeOf(url: string): Promise<{ objects: string; executed: string[] }> {
  const schemas = ['control', 'imaging', 'event_log'];
  const [row] = await sql<{ objects: string }>(url, `
    select coalesce(string_agg(line, E'\\n' order by line), '') as objects from (
      select format('%s.%s %s %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) as line
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      where n.nspname = any($1) and c.relkind in ('r', 'p') and c.relname <> 'schema_migration'
      union all select pg_get_indexdef(indexrelid) from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relname <> 'schema_migration'
    ) as lines`, [schemas]);
  const there = await sql<{ name: string }>(url, `select to_regclass(name || '.schema_migration')::text as name from unnest($1::text[]) with ordinality as schemas (name, n)
    where to_regclass(name || '.schema_migration') is not null order by n`, [schemas]);
  if (there.length === 0) return { objects: row!.objects, executed: [] };
  const executed = (await sql<{ name: string }>(url, there.map(({ name }, n) => `select ${n} as n, id, name from ${name}`).join(' union all ') + ' order by n, id')).map(({ name }) => name);
  return { objects: row!.objects, executed };
}

/** The server strikes at the n-th command that changes a schema: an event trigger, as administrators may have them too. */
const STRIKE = `
  create schema strike; create sequence strike.passed minvalue 0; create table strike.plan (at bigint, mode text);
  create function strike.now() returns event_trigger language plpgsql as $$
  declare plan strike.plan; begin
    select * into plan from strike.plan;
    if nextval('strike.passed') <> plan.at then return; end if;
    if plan.mode = 'fail' then raise exception 'struck'; end if;
    perform pg_terminate_backend(pg_backend_pid());
    perform pg_sleep(60);
  end $$;
  create event trigger strike_now on ddl_command_end execute function strike.now();`;

beforeAll(async () => {
  server = await sharedTestServer();
});
afterAll(async () => {
  const maintenance = await clients.get(server)!;
  for (const [url, client] of clients) if (url !== server) await (await client).end();
  for (const name of databases) await maintenance.query(`drop database if exists ${name} with (force)`);
  await maintenance.end();
});

describe('migrateDatabases', () => {
  let whole: { objects: string; executed: string[] };
  /** What is there after so many migrations, by their names: nothing else may ever be seen. */
  const shapes = new Map<string, string>();

  beforeAll(async () => {
    const url = await emptyDatabase();
    await migrateDatabases(url);
    whole = await shapeOf(url);
  });

  it('given a server that strikes at every statement in turn, by an error or the end of the session, then each step is whole or absent, and the last start finds all done', async () => {
    const url = await emptyDatabase();
    await sql(url, STRIKE);
    let strikes = 0;
    let done = 0;
    for (let at = 1; ; at++) {
      const mode = strikes % 2 === 0 ? 'fail' : 'kill';
      await sql(url, `delete from strike.plan; insert into strike.plan values (${at}, '${mode}'); select setval('strike.passed', 0)`);
      const outcome = await migrateDatabases(url).then(() => 'done', (error: unknown) => error);
      const after = await shapeOf(url);
      expectWhole(after);
      if (outcome === 'done') break;
      strikes += 1;
      if (mode === 'fail' && outcome instanceof MigrationFailedError) expect(outcome.message).toMatch(/^The database schema "\w+" could not be brought up to date: /);
      // What was done stays done: the next attempt begins behind it.
      if (after.executed.length > done) at = 0;
      done = after.executed.length;
    }
    expect(strikes).toBeGreaterThan(100);
    expect(await shapeOf(url)).toEqual(whole);
  }, 240_000);

  it('given a program that dies after each message it sent, then each step is whole or absent, and the last start finds all done', async () => {
    const url = await emptyDatabase();
    let cuts = 0;
    for (let messages = 1; ; messages++) {
      const line = await CutLine.open(url, messages);
      const outcome = await migrateDatabases(line.url).then(() => 'done', () => 'cut');
      await line.close();
      // The server may still be at the last message: whoever comes next waits for the lock of the session before.
      await pendingBySchema(url);
      expectWhole(await shapeOf(url));
      if (outcome === 'done') break;
      cuts += 1;
    }
    expect(cuts).toBeGreaterThan(30);
    expect(await shapeOf(url)).toEqual(whole);
  });

  it('given one schema that a newer release has migrated, then none is changed, whichever it is', async () => {
    for (const schema of ['control', 'imaging', 'event_log']) {
      const url = await emptyDatabase();
      await sql(url, `create schema ${schema}`);
      await sql(url, `create table ${schema}.schema_migration (id serial primary key, "timestamp" bigint not null, name varchar not null)`);
      await sql(url, `insert into ${schema}.schema_migration ("timestamp", name) values (9999999999999, 'FromTheFuture9999999999999')`);
      const before = await shapeOf(url);
      await expect(migrateDatabases(url)).rejects.toBeInstanceOf(SchemaTooNewError);
      await expect(migrateDatabases(url)).rejects.toThrow(`The database schema "${schema}" was made by a newer release than this one: it carries the migration FromTheFuture9999999999999.`);
      expect(await shapeOf(url)).toEqual(before);
    }
  });

  it('given an empty database, then it says what waits, and nothing once it was run', async () => {
    const url = await emptyDatabase();
    expect((await pendingBySchema(url))['imaging']).toEqual(planeMigrations.imaging.map(({ name }) => name));
    expect(await shapeOf(url)).toEqual({ objects: '', executed: [] });
    await migrateDatabases(url);
    expect(Object.values(await pendingBySchema(url)).flat()).toEqual([]);
  });

  function expectWhole({ objects, executed }: { objects: string; executed: string[] }): void {
    const key = executed.join(' ');
    expect(whole.executed.filter((name) => executed.includes(name))).toEqual(executed);
    if (executed.length === whole.executed.length) expect(objects).toBe(whole.objects);
    // The first sight of a number of steps is what every later one must be.
    expect(objects).toBe(shapes.get(key) ?? objects);
    if (executed.length === 0) expect(objects).toBe('');
    shapes.set(key, objects);
  }
});

/** A way to the server that is cut after so many messages of the program. */
class CutLine {
  private constructor(
    private readonly listener: Server,
    private readonly sockets: Set<Socket>,
    readonly url: string,
  ) {}

  static async open(url: string, messages: number): Promise<CutLine> {
    const { host, port } = new Client({ connectionString: url });
    const sockets = new Set<Socket>();
    let left = messages;
    const listener = createServer((near) => {
      const far = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
      for (const socket of [near, far]) {
        sockets.add(socket.on('error', () => {}));
        socket.once('close', () => [near, far].forEach((each) => each.destroy()));
      }
      far.on('data', (chunk) => near.write(chunk));
      near.on('data', (chunk) => {
        if (left < 1) return;
        left -= 1;
        far.write(chunk, () => {
          if (left < 1) for (const socket of sockets) socket.destroy();
        });
      });
      if (left < 1) near.destroy();
    });
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
    const through = new URL(url);
    through.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
    through.search = '';
    return new CutLine(listener, sockets, through.toString());
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.listener.close(done));
  }
}
