// Health and metrics of the archive as a whole: its processes' own answers, gathered when asked.
import { statfs } from 'node:fs/promises';
import { usedShare } from '@perennia/storage';
import { HealthRegistry, HealthServer, Metrics, Watch, type Clock, type HealthReport } from '@perennia/telemetry';
import { GatheredMetrics, type MetricsSource } from './gathered-metrics.js';
import type { RoleProcess } from './role-process.js';
import type { RunningGroup } from './run-group.js';

/** Above that of their own checks, below that of probes. */
const ASK_DEADLINE_MS = 1500;
const ANSWER_DEADLINE_MS = 2000;

export interface ArchiveHealthParts {
  processes: readonly RoleProcess[];
  inProcess: readonly (Pick<RunningGroup, 'health' | 'metrics'> & { name: string })[];
  /** Folder on the disk whose free space is told. */
  dataPath: string;
  clock: Clock;
}

export class ArchiveHealth {
  readonly #server: HealthServer;
  readonly #disk: Watch;

  constructor({ processes, inProcess, dataPath, clock }: ArchiveHealthParts) {
    const health = new HealthRegistry(ANSWER_DEADLINE_MS);
    const metrics = new Metrics();
    metrics.collectProcessMetrics();
    this.#disk = watchDisk(dataPath, metrics, clock);
    for (const each of processes) health.addReadiness(each.name, () => askReadiness(each));
    for (const { name, health: own } of inProcess) health.addReadiness(name, async () => failing((await own.ready()).checks));
    const sources: MetricsSource[] = [
      { name: 'supervisor', text: () => metrics.text() },
      ...processes.map((each) => ({ name: each.name, text: () => askMetrics(each), restarts: () => each.restarts })),
      ...inProcess.map(({ name, metrics: own }) => ({ name, text: () => own.text() })),
    ];
    this.#server = new HealthServer(health, new GatheredMetrics(sources));
  }

  listen(port: number, host: string): Promise<number> {
    return this.#server.listen(port, host);
  }
  async close(): Promise<void> {
    await this.#disk.stop();
    await this.#server.close();
  }
}

const failing = (checks: HealthReport['checks']): string | undefined =>
  Object.entries(checks).filter(([, { ok, vital }]) => !ok && vital !== false).map(([name, { reason }]) => `${name}: ${reason}`).join('; ') || undefined;

async function askReadiness(process: RoleProcess): Promise<string | undefined> {
  if (!process.ready) return 'is being started';
  return failing(((await (await ask(process, '/readyz')).json()) as HealthReport).checks);
}

const askMetrics = async (process: RoleProcess): Promise<string> => (await ask(process, '/metrics')).text();

/** @throws when it is being started or does not answer in time */
async function ask({ ready, name }: RoleProcess, path: string): Promise<Response> {
  if (!ready) throw new Error(`${name} is being started`);
  return fetch(`http://127.0.0.1:${ready.healthPort}${path}`, { signal: AbortSignal.timeout(ASK_DEADLINE_MS) });
}

function watchDisk(path: string, metrics: Metrics, clock: Clock): Watch {
  const free = metrics.gauge('vna_disk_free_bytes', 'What is free on the disk of the data folder');
  const size = metrics.gauge('vna_disk_size_bytes', 'Size of the disk of the data folder');
  const used = metrics.gauge('vna_disk_used_ratio', 'Share in use of the disk of the data folder, as df tells it');
  const watch = new Watch(clock, async () => {
    const disk = await statfs(path);
    free.set(disk.bavail * disk.bsize);
    size.set(disk.blocks * disk.bsize);
    used.set(usedShare(disk));
  });
  watch.start();
  return watch;
}
