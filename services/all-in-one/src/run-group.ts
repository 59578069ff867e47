// Runs the services of one process group in this process: resources, one Nest application, health endpoints.
import type { EffectiveConfig } from '@perennia/config';
import type { AssociationExchange } from '@perennia/ingest-pipeline/dimse';
import { IngestPipelineConfig, LandingAdopter } from '@perennia/ingest-pipeline';
import { LandingConfig } from '@perennia/storage/landing.config';
import { createLogger, HealthServer, Metrics, type HealthRegistry, type Logger } from '@perennia/telemetry';
import { watchHealth } from './watch-health.js';
import { ArchiveConfig } from './archive.config.js';
import { startApplication } from './application.js';
import { groupControl } from './group-control.js';
import { openTracing } from './open-tracing.js';
import { landingOwnerOf, onlyAcquires, type ProcessGroup } from './process-groups.js';
import { openResources, type Resources } from './resources.js';

export interface RunningGroup {
  health: HealthRegistry;
  metrics: Metrics;
  healthPort: number;
  /** What the health port wants to hear from who asks for more than health. */
  controlSecret: string;
  /** Services finish what they have in hand, then everything is closed in the opposite order of opening. */
  stop(): Promise<void>;
}

export interface GroupOptions {
  /** How associations come to this group or leave it. */
  exchange: AssociationExchange;
  group: ProcessGroup;
  config: EffectiveConfig;
  databaseUrl: string;
}

/** Resolves when every service of the group is ready. */
export async function runGroup({ group, config, databaseUrl, exchange }: GroupOptions): Promise<RunningGroup> {
  const { instance, logLevel } = config.get(ArchiveConfig);
  const landingOwner = landingOwnerOf(group, instance);
  const metrics = new Metrics();
  const tracing = await openTracing({ config, group: group.name, metrics });
  const log = createLogger(group.name, { level: logLevel, tracing });
  const resources = await openResources({
    config, databaseUrl, log, metrics, tracing, applicationName: `perennia ${landingOwner ?? group.name}`,
    outlivesOutages: onlyAcquires(group), needsEventLog: !group.receives, upkeep: group.roles.includes('indexing'),
    onAreaLost: endInOrder, ...(landingOwner === undefined ? {} : { landingOwner }),
  });
  const { health } = resources;
  try {
    metrics.collectProcessMetrics();
    const application = await startApplication(group.roles, { resources, config, log, landingOwner, exchange });
    const adopter = group.roles.includes('lifecycle') && resources.areas.shared ? adopterOf(resources, config, log) : undefined;
    adopter?.start();
    const control = groupControl(application);
    const server = new HealthServer(health, metrics, control);
    const healthPort = await server.listen(0);
    const watch = watchHealth(health, metrics, resources.clock);
    return {
      health,
      metrics,
      healthPort,
      controlSecret: control.secret,
      stop: async () => {
        // A look that hangs is not waited for.
        void watch.stop();
        await adopter?.stop();
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

/** As if it had been told to: whoever supervises this process starts it again, and it opens its area anew. */
const endInOrder = (): void => void process.kill(process.pid, 'SIGTERM');

function adopterOf({ areas, databases, eventLog, clock, metrics, tracing }: Resources, config: EffectiveConfig, logger: Logger): LandingAdopter {
  const { adoptAfter: adoptAfterMs } = config.get(LandingConfig);
  const { republishAfter: republishAfterMs } = config.get(IngestPipelineConfig);
  return new LandingAdopter({ areas, imaging: databases.imaging, eventLog, clock, metrics, logger, tracing, adoptAfterMs, republishAfterMs });
}
