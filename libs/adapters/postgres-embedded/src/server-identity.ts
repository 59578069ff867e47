// PostgreSQL refuses to run as root. As an ordinary user nothing is to be done; as root the server runs, in this order, as
// the configured account, as the owner of an existing data folder, as root mapped to an ordinary id in a user namespace
// (files stay root's, every folder stays reachable), or as `postgres` or `nobody`.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigurationError } from '@perennia/errors';
import { firstUnreachableFolder } from './first-unreachable-folder.js';

/** How programs of the server are started, and who owns their files. */
export interface ServerIdentity {
  description: string;
  uid: number;
  gid: number;
  /** Whether uid and gid are set when the program is spawned. */
  switchUser: boolean;
  /** Put before the program: it is replaced by it, so that the process id stays the same. */
  prefix: readonly string[];
}

const NAMESPACE = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];

/**
 * @param dataDir exists; @param programs must be reachable too; @param account setting VNA_PG_USER
 * @throws ConfigurationError naming the folder that no identity can reach
 */
export function chooseServerIdentity(dataDir: string, programs: string, account?: string): ServerIdentity {
  const uid = process.getuid!();
  if (uid !== 0) return { description: 'the current user', uid, gid: process.getgid!(), switchUser: false, prefix: [] };
  const candidates = rootCandidates(dataDir, account);
  let obstacle: string | null = null;
  for (const candidate of candidates) {
    // The data folder itself is handed over to the identity; only the way to it has to be passable.
    const folder =
      firstUnreachableFolder(dirname(dataDir), candidate.uid, candidate.gid) ?? firstUnreachableFolder(dirname(programs), candidate.uid, candidate.gid);
    if (!folder) return candidate;
    obstacle ??= `${candidate.description} cannot enter the folder ${folder}`;
  }
  throw new ConfigurationError(`PostgreSQL must not run as root, and ${obstacle ?? 'no account postgres or nobody exists'}.`, {
    remedy: 'Start as an ordinary user, make that folder passable (chmod o+x), or set VNA_PG_USER to an account that can enter it.',
  });
}

function rootCandidates(dataDir: string, account: string | undefined): ServerIdentity[] {
  if (account !== undefined) {
    const configured = accountIdentity(account);
    if (!configured) throw new ConfigurationError(`The account ${account} (VNA_PG_USER) does not exist.`, { remedy: 'Create it or name another one.' });
    if (configured.uid === 0) throw new ConfigurationError('VNA_PG_USER must not be root.', { remedy: 'Name an unprivileged account.' });
    return [configured];
  }
  const owner = statSync(dataDir);
  const candidates: (ServerIdentity | null)[] = [
    owner.uid !== 0 ? { description: `the owner of the data folder (uid ${owner.uid})`, uid: owner.uid, gid: owner.gid, switchUser: true, prefix: [] } : null,
    namespaceIdentity(),
    accountIdentity('postgres'),
    accountIdentity('nobody'),
  ];
  return candidates.filter((candidate) => candidate !== null);
}

/** Containers often forbid user namespaces, old systems lack the option: tried, not guessed. */
function namespaceIdentity(): ServerIdentity | null {
  const probe = spawnSync(NAMESPACE[0]!, [...NAMESPACE.slice(1), 'id', '-u'], { encoding: 'utf8', timeout: 5000 });
  if (probe.status !== 0 || probe.stdout.trim() !== '1000') return null;
  return { description: 'root in a user namespace', uid: 0, gid: 0, switchUser: false, prefix: NAMESPACE };
}

function accountIdentity(name: string): ServerIdentity | null {
  const fields = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':')).find(([user]) => user === name);
  if (!fields) return null;
  return { description: `the account ${name}`, uid: Number(fields[2]), gid: Number(fields[3]), switchUser: true, prefix: [] };
}
