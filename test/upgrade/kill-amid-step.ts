// Starts the product on a folder whose database stays at its first change of a schema, and kills everything once it is there: the
// supervisor, the server and its sessions.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, repository } from './start-attempt.js';
import { until } from './until.js';

const CHANGES_SCHEMA = /\b(CREATE|ALTER|DROP)\b/;

export async function killAmidStep(data: string): Promise<void> {
  const { child, ended } = await launch(repository, data, 'services/all-in-one/dist/main.js');
  let victims: number[] = [];
  await until(() => {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode} before it changed a schema`);
    const server = Number(read(join(data, 'postgres', 'cluster', 'postmaster.pid')).split('\n')[0]);
    const sessions = childrenOf(server);
    victims = [child.pid!, server, ...sessions];
    return sessions.some((pid) => CHANGES_SCHEMA.test(read(`/proc/${pid}/cmdline`)));
  });
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  await ended;
  await until(() => victims.every((pid) => read(`/proc/${pid}/cmdline`) === ''));
}

const childrenOf = (pid: number): number[] => read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code!)) return '';
    throw error;
  }
}
