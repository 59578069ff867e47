// Runs a TypeScript source file of the workspace in a process of its own, for tests that kill it.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param file path of the source; talk to it by IPC messages; standard error is inherited */
export function spawnSource(file: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const loader = fileURLToPath(new URL('./source-loader.mjs', import.meta.url));
  return fork(file, [...args], {
    execArgv: ['--conditions=source', '--no-warnings', '--import', loader],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}
