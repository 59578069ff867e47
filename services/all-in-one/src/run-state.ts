// run/archive.json in the data folder: which processes make up the running archive and where they answer. Read by `vna status`,
// and by the next start, which ends what a killed supervisor left behind.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isProcessAlive } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';

export interface RunningProcess {
  name: string;
  pid: number;
  /** Tells the process from a later one with the same pid. */
  identity: string;
  restarts: number;
  healthPort?: number;
  /** Proves to its health port that who asks may read this file. */
  controlSecret?: string;
}
export interface RunState {
  startedAt: string;
  healthPort: number;
  /** With its password: the file is readable by its owner only. */
  databaseUrl: string;
  endpoints: { name: string; address: string }[];
  processes: RunningProcess[];
}

const POLITE_MS = 3000;
const POLL_MS = 50;
const fileIn = (runFolder: string): string => join(runFolder, 'archive.json');

export function writeRunState(runFolder: string, state: RunState): void {
  const temporary = `${fileIn(runFolder)}.new`;
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, fileIn(runFolder));
}

export function readRunState(runFolder: string): RunState | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(runFolder), 'utf8')) as RunState;
  } catch (error) {
    // Torn by a power cut, or never written: nothing is known to run.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export const removeRunState = (runFolder: string): void => rmSync(fileIn(runFolder), { force: true });

/** Orphans end by themselves when their supervisor dies; one that does not within three seconds is stuck and is killed. */
export async function endOrphans(runFolder: string, clock: Clock): Promise<number> {
  const orphans = (readRunState(runFolder)?.processes ?? []).filter(({ pid, identity }) => pid !== process.pid && isProcessAlive(identity));
  const deadlineMs = clock.monotonicMs() + POLITE_MS;
  const alive = (): RunningProcess[] => orphans.filter(({ identity }) => isProcessAlive(identity));
  while (alive().length > 0 && clock.monotonicMs() < deadlineMs) await clock.sleep(POLL_MS);
  for (const { pid } of alive()) process.kill(pid, 'SIGKILL');
  while (alive().length > 0) await clock.sleep(POLL_MS);
  return orphans.length;
}
