// After kill -9 of the launcher its PostgreSQL goes on running; after kill -9 of the postmaster its children may. Whoever
// works in the cluster folder is found by the working folder of the process, never by a number in a file that the system
// may have given to someone else meanwhile.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Clock } from '@perennia/telemetry';
import { UnavailableError } from '@perennia/errors';

interface OrphanProcess {
  pid: number;
  parent: number;
}

const POLL_MS = 20;
/** How long each way of ending is given before the next, harder one. */
const PATIENCE_MS = { SIGINT: 20_000, SIGQUIT: 5_000, SIGKILL: 5_000 } as const;

/** Live PostgreSQL processes that work in `cluster` (its real path). */
export function orphanedServers(cluster: string): OrphanProcess[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => serverProcess(Number(entry), cluster))
    .filter((found) => found !== null);
}

function serverProcess(pid: number, cluster: string): OrphanProcess | null {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) !== cluster) return null;
    // pid (comm) state ppid …; a zombie has no working folder and never gets here
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (!stat.includes('(postgres)')) return null;
    return { pid, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
  } catch (error) {
    // Ended meanwhile, or another user's process: neither is ours to end.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** Ends them: fast shutdown of a postmaster, then immediate, then kill. Resolves with how many there were. @throws UnavailableError */
export async function endOrphanedServers(cluster: string, clock: Clock): Promise<number> {
  const found = orphanedServers(cluster);
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    const left = orphanedServers(cluster);
    if (left.length === 0) return found.length;
    const pids = new Set(left.map(({ pid }) => pid));
    const heads = left.filter(({ parent }) => !pids.has(parent));
    // Several heads are children without a postmaster: SIGINT would only cancel their statements.
    const targets = signal === 'SIGKILL' ? left : heads;
    const effective = signal === 'SIGINT' && heads.length > 1 ? 'SIGQUIT' : signal;
    for (const { pid } of targets) signalProcess(pid, effective);
    const deadline = clock.monotonicMs() + PATIENCE_MS[signal];
    while (orphanedServers(cluster).length > 0 && clock.monotonicMs() < deadline) await clock.sleep(POLL_MS);
  }
  if (orphanedServers(cluster).length > 0) throw new UnavailableError('An old PostgreSQL process of this data folder could not be ended.', { details: { pids: found.map(({ pid }) => pid) } });
  return found.length;
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
