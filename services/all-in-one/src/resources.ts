// What a process works with, opened once: databases, log, store, landing, clock, metrics. Here and nowhere else adapters are chosen.
import type { EffectiveConfig } from '@perennia/config';
import { heartbeatMs, LandingHeartbeat } from '@perennia/ingest-pipeline';
import type { EventLog } from '@perennia/messaging';
import { connectDatabases, type Databases } from '@perennia/persistence';
import { TieredPlaceReader, type Landing, type PlaceReader, type StorageTiers } from '@perennia/storage';
import { LandingConfig } from '@perennia/storage/landing.config';
import { HealthRegistry, SystemClock, type Clock, type Logger, type Metrics, type Tracing } from '@perennia/telemetry';
import { openEventLog } from './event-logs.js';
import type { LandingAreas } from './landing-areas.js';
import { openLandingAreas } from './open-landing-areas.js';
import { StorageAreas } from './storage-areas.js';

/** Connections of a process to the database. Each costs the server 4 to 8 MB, and more statements at once are not done sooner. */
const POOL_SIZE = 5;
/** Asked for to see whether a store answers. */
const NOBODYS_KEY = 'work/probe/nothing';

export interface Resources {
  databases: Databases;
  eventLog: EventLog;
  tiers: StorageTiers;
  placeReader: PlaceReader;
  /** Only where objects are taken in. */
  landing: Landing | undefined;
  areas: LandingAreas;
  clock: Clock;
  metrics: Metrics;
  tracing: Tracing;
  health: HealthRegistry;
  close(): Promise<void>;
}

export interface ResourceOptions {
  config: EffectiveConfig;
  databaseUrl: string;
  /** Landing area this process writes; none for processes that only read. */
  landingOwner?: string;
  /** Another process has taken the landing area over: nothing can be acknowledged any more. */
  onAreaLost: () => void;
  /** Whether it can do its work for a while without database and event log. */
  outlivesOutages: boolean;
  /** Whether nothing of its work goes on without the event log. */
  needsEventLog: boolean;
  /** Whether it keeps the event log in order. */
  upkeep: boolean;
  applicationName: string;
  metrics: Metrics;
  /** Closed with the rest. */
  tracing: Tracing;
  log: Logger;
}

/** @throws ArchiveError; what had been opened is closed again */
export async function openResources(options: ResourceOptions): Promise<Resources> {
  const opened: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.toReversed()) await each();
  };
  try {
    return { ...(await open(options, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(options: ResourceOptions, opened: (() => Promise<void>)[]): Promise<Omit<Resources, 'close'>> {
  const { config, databaseUrl, log, applicationName, metrics, tracing } = options;
  const clock = new SystemClock();
  opened.push(() => tracing.close());
  const databases = await connectDatabases({
    controlUrl: databaseUrl,
    imagingUrl: databaseUrl,
    poolSize: POOL_SIZE,
    applicationName,
    onConnectionLost: (err) => log.warn({ err }, 'A database connection was lost'),
  });
  opened.push(() => databases.close());
  const eventLog = await openEventLog({ config, databaseUrl, clientName: applicationName, upkeep: options.upkeep, log, clock });
  opened.push(() => eventLog.close());
  const areasOfTiers = await StorageAreas.open(config, metrics);
  opened.push(async () => areasOfTiers.close());
  const { tiers } = areasOfTiers;
  const areas = openLandingAreas({ config, tiers, log, clock });
  const landing = options.landingOwner === undefined ? undefined : await openArea(areas, options.landingOwner, options, databases, opened, clock);
  const placeReader = new TieredPlaceReader(await areas.reader(), tiers);
  const health = healthOf(databases, eventLog, options);
  // Whoever is refused is told so by the right answer; readers need no room.
  if (landing) health.addReadiness('landing-disk', () => areas.trouble(), false);
  for (const [name, store] of areasOfTiers.s3) {
    // A copy in the second tier is made later: whoever is asked meanwhile has the first one.
    health.addReadiness(`store-${name}`, async () => void (await store.head(NOBODYS_KEY)), name !== tiers.second);
  }
  return { databases, eventLog, tiers, placeReader, landing, areas, clock, metrics, tracing, health };
}

/** Its heartbeat begins before it is opened: whoever works the area off is to let go first. */
async function openArea(
  areas: LandingAreas, owner: string, { config, log, onAreaLost }: ResourceOptions, { imaging }: Databases, opened: (() => Promise<void>)[], clock: Clock,
): Promise<Landing> {
  const heartbeat = new LandingHeartbeat({ imaging, clock, logger: log, owner, intervalMs: heartbeatMs(config.get(LandingConfig).adoptAfter), onAdopted: onAreaLost });
  if (areas.shared) await heartbeat.begin();
  const landing = await areas.open(owner);
  opened.push(() => landing.close());
  if (areas.shared) heartbeat.start();
  opened.push(() => heartbeat.stop());
  return landing;
}

function healthOf(databases: Databases, eventLog: EventLog, { outlivesOutages, needsEventLog }: ResourceOptions): HealthRegistry {
  const health = new HealthRegistry();
  health.addReadiness('database', async () => void (await databases.imaging.query('select 1')), !outlivesOutages);
  health.addReadiness('event-log', () => eventLog.ping(), needsEventLog);
  return health;
}
