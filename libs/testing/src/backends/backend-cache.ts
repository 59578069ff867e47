// What tests fetch or build once for all checkouts of a user: jars of a broker, the binary of an S3 server. Nothing of it is needed to
// run the archive. Offline after the first time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { inTurn } from '../in-turn.js';

/** VNA_TEST_CACHE names another folder. */
export const backendCache = process.env['VNA_TEST_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'perennia-tests');

/** The folder of that name, made by `make` if nobody has made it before; whoever comes meanwhile waits. @throws when it cannot be made */
export async function cached(name: string, make: (folder: string) => void): Promise<string> {
  const folder = join(backendCache, name);
  return inTurn(`perennia-test-cache-${userInfo().uid}-${name}`, () => {
    if (existsSync(folder)) return folder;
    const making = `${folder}.making`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    make(making);
    renameSync(making, folder);
    return folder;
  });
}

/** @throws with the last words of the program when it fails */
export function runOrThrow(command: string, parameters: readonly string[], environment: Record<string, string> = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8', env: { ...process.env, ...environment }, maxBuffer: 1 << 26 });
  if (status === 0) return stdout;
  throw new Error(`${command} failed (${error?.message ?? `exit code ${status}`}): ${`${stdout}${stderr}`.slice(-2000)}`);
}
