import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { ConfigurationError, ConflictError } from '@perennia/errors';
import { spawnSource } from '@perennia/testing';
import { createLogger } from '@perennia/telemetry';
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.js';
import { firstUnreachableFolder } from './first-unreachable-folder.js';
import { orphanedServers } from './orphaned-servers.js';

const asRoot = process.getuid!() === 0;

const query = async <Row = Record<string, unknown>>(server: { url: string }, sql: string): Promise<Row[]> => {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
};
const kept = async (server: EmbeddedPostgres): Promise<number> => (await query<{ n: number }>(server, 'select count(*)::int as n from kept'))[0]!.n;

describe('EmbeddedPostgres', () => {
  let dataDir: string;
  let running: EmbeddedPostgres[] = [];
  let children: ChildProcess[] = [];
  const start = async (options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> => {
    const server = await EmbeddedPostgres.start({ dataDir, log: createLogger('test', 'silent'), ...options });
    running.push(server);
    return server;
  };
  const killedLauncher = async (): Promise<{ url: string; pid: number }> => {
    const child = spawnSource(fileURLToPath(new URL('./test-launcher.child.ts', import.meta.url)), [dataDir]);
    children.push(child);
    const [server] = (await once(child, 'message')) as [{ url: string; pid: number }];
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    return server;
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'embedded-postgres-'));
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    for (const server of running) await server.stop();
    [running, children] = [[], []];
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is durable and private, and keeps its data over a restart', async () => {
    const server = await start();
    const [settings] = await query(server, `select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
      current_setting('synchronous_commit') as synchronous_commit, current_setting('data_checksums') as data_checksums, current_setting('listen_addresses') as listen_addresses`);
    expect(settings).toEqual({ fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on', data_checksums: 'on', listen_addresses: '' });
    expect(statSync(join(dataDir, 'password')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir).toSorted()).toEqual(['cluster', 'password', 'socket']);
    await query(server, 'create table kept as select 1 as n');
    await server.stop();
    expect(await kept(await start())).toBe(1);
  });

  it('listens on a free loopback port when asked, and where the socket’s path would be too long', async () => {
    const server = await start({ port: 0 });
    expect(server.url).toMatch(/@127\.0\.0\.1:\d+\/postgres$/);
    await server.stop();
    const deep = await start({ dataDir: join(dataDir, 'x'.repeat(80)) });
    expect(deep.url).toContain('@127.0.0.1:');
    expect(await query(deep, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('names the port that is in use, in one sentence', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port } = busy.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({ code: 'CONFIGURATION', message: 'The port of the embedded database is in use.' });
    busy.close();
  });

  it('refuses a second launcher on the same folder while the first lives', async () => {
    await start();
    await expect(start()).rejects.toBeInstanceOf(ConflictError);
  });

  it('ends the server that a killed launcher left behind, and goes on', async () => {
    const orphan = await killedLauncher();
    await query(orphan, 'create table kept as select 1 as n');
    const server = await start();
    expect(server.pid).not.toBe(orphan.pid);
    expect(orphanedServers(join(dataDir, 'cluster')).map(({ pid }) => pid)).not.toContain(orphan.pid);
    expect(await kept(server)).toBe(1);
  });

  it('recovers after kill -9 of launcher and server at once', async () => {
    const orphan = await killedLauncher();
    await query(orphan, 'create table kept as select 1 as n');
    process.kill(orphan.pid, 'SIGKILL');
    expect(await kept(await start())).toBe(1);
  });

  it('recovers after kill -9 of the postmaster while its children go on', async () => {
    const orphan = await killedLauncher();
    await query(orphan, 'create table kept as select 1 as n');
    const client = new Client({ connectionString: orphan.url });
    client.on('error', () => undefined);
    await client.connect();
    const endless = client.query('do $$ begin loop perform 1; end loop; end $$').catch(() => 'ended');
    while (orphanedServers(join(dataDir, 'cluster')).length < 5) await new Promise(setImmediate);
    process.kill(orphan.pid, 'SIGKILL');
    const server = await start();
    expect(await endless).toBe('ended');
    expect(await kept(server)).toBe(1);
  });

  it('ignores a stale pid file, also when its process id is in use by somebody else', async () => {
    const first = await start();
    const pidFile = join(dataDir, 'cluster', 'postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    await query(first, 'create table kept as select 1 as n');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    await first.stop();
    const stranger = spawn('sleep', ['60']);
    children.push(stranger);
    for (const pid of [stranger.pid!, 4_000_000]) {
      writeFileSync(pidFile, [String(pid), ...lines.slice(1)].join('\n'));
      const server = await start();
      expect(await kept(server)).toBe(1);
      await server.stop();
    }
    expect(stranger.exitCode).toBeNull();
  });

  it('begins anew where initdb was interrupted', async () => {
    mkdirSync(join(dataDir, 'cluster.new', 'base'), { recursive: true });
    writeFileSync(join(dataDir, 'cluster.new', 'PG_VERSION'), '18\n');
    writeFileSync(join(dataDir, 'initial-password'), 'left behind');
    const server = await start();
    expect(await query(server, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(readdirSync(dataDir).toSorted()).toEqual(['cluster', 'password', 'socket']);
  });

  it('refuses a cluster of another major version and one without its password', async () => {
    await (await start()).stop();
    const password = readFileSync(join(dataDir, 'password'), 'utf8');
    rmSync(join(dataDir, 'password'));
    await expect(start()).rejects.toThrow('password file');
    writeFileSync(join(dataDir, 'password'), password);
    writeFileSync(join(dataDir, 'cluster', 'PG_VERSION'), '14\n');
    await expect(start()).rejects.toThrow('made by PostgreSQL 14');
  });

  it('stops within seconds while clients are connected, and tells when it ended by itself', async () => {
    const server = await start();
    const client = new Client({ connectionString: server.url });
    client.on('error', () => undefined);
    await client.connect();
    const startedMs = performance.now();
    await server.stop();
    expect(performance.now() - startedMs).toBeLessThan(5000);
    const again = await start();
    process.kill(again.pid, 'SIGQUIT');
    expect(await again.exited).toMatchObject({ signal: null });
  });

  it('says why a folder cannot be used', async () => {
    writeFileSync(join(dataDir, 'file'), '');
    await expect(start({ dataDir: join(dataDir, 'file', 'below') })).rejects.toBeInstanceOf(ConfigurationError);
  });

  (asRoot ? describe : describe.skip)('started by root', () => {
    it('runs as an account given by setting, whose data root can then run as well', async () => {
      chmodSync(dataDir, 0o755);
      const server = await start({ account: 'nobody' });
      expect(statSync(`/proc/${server.pid}`).uid).toBe(statSync(join(dataDir, 'cluster')).uid);
      expect(statSync(join(dataDir, 'cluster')).uid).not.toBe(0);
      await query(server, 'create table kept as select 1 as n');
      await server.stop();
      expect(await kept(await start())).toBe(1);
    });

    it('names the folder in the way of the account', async () => {
      const closed = join(dataDir, 'closed');
      mkdirSync(join(closed, 'data'), { recursive: true });
      chmodSync(closed, 0o700);
      await expect(start({ dataDir: join(closed, 'data'), account: 'nobody' })).rejects.toThrow(`cannot enter the folder`);
      await expect(start({ dataDir: join(closed, 'data'), account: 'nobody' })).rejects.toThrow(dataDir);
      const server = await start({ dataDir: join(closed, 'data') });
      expect(await query(server, 'select 1 as n')).toEqual([{ n: 1 }]);
    });

    it('refuses root itself and unknown accounts', async () => {
      await expect(start({ account: 'root' })).rejects.toThrow('must not be root');
      await expect(start({ account: 'no-such-account' })).rejects.toThrow('does not exist');
    });
  });
});

describe('firstUnreachableFolder', () => {
  it('finds the outermost folder that an id may not enter', () => {
    const base = mkdtempSync(join(realpathSync(tmpdir()), 'reach-'));
    const inner = join(base, 'a', 'b');
    mkdirSync(inner, { recursive: true });
    chmodSync(base, 0o755);
    chmodSync(join(base, 'a'), 0o710);
    chmodSync(inner, 0o700);
    const { uid, gid } = statSync(base);
    expect(firstUnreachableFolder(inner, uid, gid)).toBeNull();
    expect(firstUnreachableFolder(inner, 54_321, gid)).toBe(inner);
    expect(firstUnreachableFolder(inner, 54_321, 54_321)).toBe(join(base, 'a'));
    rmSync(base, { recursive: true });
  });
});
