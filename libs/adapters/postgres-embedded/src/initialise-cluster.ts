// Makes the cluster once. initdb works in a folder of its own which is renamed when complete: a half-done one is never taken
// for a cluster.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError, StoreFullError, UnavailableError } from '@perennia/errors';
import type { ServerIdentity } from './server-identity.js';

export const SERVER_USER = 'perennia';
const MAJOR_VERSION = '18';

export interface ClusterPlan {
  /** Folder that holds everything of the server. */
  folder: string;
  cluster: string;
  initdb: string;
  identity: ServerIdentity;
  password: string;
}

/** @returns whether a cluster had to be made */
export async function initialiseCluster(plan: ClusterPlan): Promise<boolean> {
  const versionFile = join(plan.cluster, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const found = readFileSync(versionFile, 'utf8').trim();
    if (found === MAJOR_VERSION) return false;
    throw new ConfigurationError(`The database in ${plan.cluster} was made by PostgreSQL ${found}, this release carries ${MAJOR_VERSION}.`, {
      remedy: 'Upgrade it with pg_upgrade as docs/operations describes, or start the release that made it.',
    });
  }
  const half = `${plan.cluster}.new`;
  rmSync(half, { recursive: true, force: true });
  const secret = join(plan.folder, 'initial-password');
  writeFileSync(secret, `${plan.password}\n`, { mode: 0o600 });
  chmodSync(secret, 0o600);
  if (plan.identity.switchUser) chownSync(secret, plan.identity.uid, plan.identity.gid);
  try {
    await runInitdb(plan, half, secret);
  } finally {
    rmSync(secret, { force: true });
  }
  renameSync(half, plan.cluster);
  syncFolder(plan.folder);
  return true;
}

async function runInitdb(plan: ClusterPlan, half: string, secret: string): Promise<void> {
  // Bytewise order and Unicode character classes: the order of an index never depends on the system's locale library, and
  // trigrams are made of ideographic names too.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--lc-ctype=C.UTF-8'];
  const options = ['--pgdata', half, '--username', SERVER_USER, '--pwfile', secret, '--auth=scram-sha-256', '--data-checksums', ...locale];
  const [program, ...args] = [...plan.identity.prefix, plan.initdb, ...options];
  const owner = plan.identity.switchUser ? { uid: plan.identity.uid, gid: plan.identity.gid } : {};
  const child = spawn(program!, args, { ...owner, env: serverEnvironment(), cwd: plan.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-4000)));
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code === 0) return;
  rmSync(half, { recursive: true, force: true });
  if (complaint.includes('No space left on device')) throw new StoreFullError('The disk is full: no database could be made.', { details: { folder: plan.folder } });
  throw new UnavailableError(`The database could not be made in ${plan.folder}.`, { details: { exitCode: code, complaint: complaint.trim() } });
}

/** Only what the server needs; no settings of ours reach it. What a large statement took goes back to the system after it (man 3 mallopt). */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const allocation = { MALLOC_MMAP_THRESHOLD_: String(256 * 1024), MALLOC_TRIM_THRESHOLD_: String(1024 * 1024) };
  return { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC', ...allocation };
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
