// Runs the services of one process group in this process: resources, one Nest application, health endpoints.
import type { EffectiveConfig } from '@perennia/config';
import { HealthServer, type HealthRegistry, type Logger, type Metrics } from '@perennia/telemetry';
import { ArchiveConfig } from './archive.config.js';
import { startApplication } from './application.js';
import { landingOwnerOf, onlyAcquires, type ProcessGroup } from './process-groups.js';
import { openResources } from './resources.js';

export interface RunningGroup {
  health: HealthRegistry;
  metrics: Metrics;
  healthPort: number;
  /** Services finish what they have in hand, then everything is closed in the opposite order of opening. */
  stop(): Promise<void>;
}

export interface GroupOptions {
  group: ProcessGroup;
  config: EffectiveConfig;
  databaseUrl: string;
  log: Logger;
}

/** Resolves when every service of the group is ready. */
export async function runGroup({ group, config, databaseUrl, log }: GroupOptions): Promise<RunningGroup> {
  const landingOwner = landingOwnerOf(group, config.get(ArchiveConfig).instance);
  const resources = await openResources({
    config, databaseUrl, log, applicationName: `perennia ${landingOwner ?? group.name}`,
    outlivesOutages: onlyAcquires(group), upkeep: group.roles.includes('indexing'), ...(landingOwner === undefined ? {} : { landingOwner }),
  });
  const { metrics, health } = resources;
  try {
    metrics.collectProcessMetrics();
    const application = await startApplication(group.roles, { resources, config, log, landingOwner });
    const server = new HealthServer(health, metrics);
    const healthPort = await server.listen(0);
    return {
      health,
      metrics,
      healthPort,
      stop: async () => {
        await application.close();
        await server.close();
        await resources.close();
      },
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
