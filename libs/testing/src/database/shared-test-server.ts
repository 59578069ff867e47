// One PostgreSQL for all test workers of this machine, started by the first that needs it and stopped by a watcher soon after
// the last one has ended, however it ended. VNA_TEST_DATABASE_URL, or VNA_DATABASE_URL, names another server to use
// instead: tests make databases of their own there and drop them.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { createLogger } from '@perennia/telemetry';
import { EmbeddedPostgres } from '@perennia/postgres-embedded';
import { inTurn } from '../in-turn.js';

const checkout = createHash('sha256').update(import.meta.url).digest('hex').slice(0, 8);
const folder = join(tmpdir(), `perennia-test-${userInfo().uid}-${checkout}`);

let known: Promise<string> | undefined;

/** URL of the server's maintenance database. */
export function sharedTestServer(): Promise<string> {
  const outside = process.env['VNA_TEST_DATABASE_URL'] ?? process.env['VNA_DATABASE_URL'];
  return (known ??= outside ? Promise.resolve(outside) : inTurn(folder, reuseOrStart));
}

async function reuseOrStart(): Promise<string> {
  mkdirSync(join(folder, 'users'), { recursive: true, mode: 0o700 });
  // The watcher counts whoever is named here and alive.
  writeFileSync(join(folder, 'users', String(process.pid)), '');
  return (await runningServer()) ?? startServer();
}

async function runningServer(): Promise<string | null> {
  let url: string;
  try {
    url = readFileSync(join(folder, 'url'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const client = new Client({ connectionString: url });
  const reached = await client.connect().then(() => true, () => false);
  if (reached) await client.end();
  return reached ? url : null;
}

async function startServer(): Promise<string> {
  const server = await EmbeddedPostgres.start({ dataDir: join(folder, 'server'), log: createLogger('test-database', 'silent') });
  writeFileSync(join(folder, 'url'), server.url, { mode: 0o600 });
  server.leaveRunning();
  const watcher = fileURLToPath(new URL('./test-server-watcher.mjs', import.meta.url));
  spawn(process.execPath, [watcher, folder, String(server.pid)], { detached: true, stdio: 'ignore' }).unref();
  return server.url;
}
