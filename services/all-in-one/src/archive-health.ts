// Health of the archive as a whole: its processes' own answers, gathered when asked.
import { HealthRegistry, HealthServer, Metrics } from '@perennia/telemetry';
import type { RoleProcess } from './role-process.js';

const ASK_DEADLINE_MS = 1500;

export class ArchiveHealth {
  readonly #server: HealthServer;

  constructor(processes: readonly RoleProcess[], inProcess: readonly HealthRegistry[]) {
    const health = new HealthRegistry();
    const metrics = new Metrics();
    metrics.collectProcessMetrics();
    for (const each of processes) health.addReadiness(each.name, () => askReadiness(each));
    inProcess.forEach((registry, index) => health.addReadiness(`group-${index}`, () => ownReadiness(registry)));
    this.#server = new HealthServer(health, metrics);
  }

  listen(port: number): Promise<number> {
    return this.#server.listen(port);
  }
  close(): Promise<void> {
    return this.#server.close();
  }
}

const failing = (checks: Record<string, { ok: boolean; reason?: string }>): string | undefined =>
  Object.entries(checks).filter(([, { ok }]) => !ok).map(([name, { reason }]) => `${name}: ${reason}`).join('; ') || undefined;

async function askReadiness({ ready }: RoleProcess): Promise<string | undefined> {
  if (!ready) return 'is being started';
  const response = await fetch(`http://127.0.0.1:${ready.healthPort}/readyz`, { signal: AbortSignal.timeout(ASK_DEADLINE_MS) });
  return failing(((await response.json()) as { checks: Record<string, { ok: boolean; reason?: string }> }).checks);
}

const ownReadiness = async (registry: HealthRegistry): Promise<string | undefined> => failing((await registry.ready()).checks);
