// What `vna doctor` looks at. Each check says what it found, and what to do where that is not good.
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArchiveConfig, listenersOf, openKafka, reachable, toStartFailure, assertPortsFree, usesKafka } from '@perennia/all-in-one';
import type { EffectiveConfig } from '@perennia/config';
import { ConfigurationError } from '@perennia/errors';
import { KafkaConfig } from '@perennia/messaging/kafka.config';
import { checkServer, type Databases } from '@perennia/persistence';
import { usedShare, type ObjectStore } from '@perennia/storage';
import { LandingConfig } from '@perennia/storage/landing.config';
import { createLogger, SystemClock } from '@perennia/telemetry';
import type { ArchiveAccess } from './archive-access.js';
import { withPlaces } from './archive-places.js';
import { formatBytes } from './command-output.js';

export interface Finding {
  check: string;
  ok: boolean;
  found: string;
  remedy?: string;
}

const GREATEST_CLOCK_DIFFERENCE_MS = 1000;

/** Runs one check; what it throws is its finding. */
async function finding(check: string, look: () => Promise<string> | string): Promise<Finding> {
  try {
    return { check, ok: true, found: await look() };
  } catch (error) {
    const { message, remedy } = toStartFailure(error);
    return { check, ok: false, found: message, ...(remedy === undefined ? {} : { remedy }) };
  }
}

export async function examine(access: ArchiveAccess): Promise<Finding[]> {
  const running = access.running() !== undefined;
  const findings = [
    await finding('node', () => `Node.js ${process.versions.node}`),
    await finding('archive', () => (running ? 'is running' : 'is not running')),
    await finding('data folder', () => lookAtFolder(access.dataPath)),
    lookAtDisk(access),
    running ? await finding('services', () => lookAtServices(access)) : await finding('ports', () => lookAtPorts(access)),
  ];
  if (findings.every(({ ok, check }) => ok || check === 'disk' || check === 'services')) findings.push(...(await lookInside(access)));
  return findings;
}

function lookAtFolder(path: string): string {
  const probe = join(path, `.doctor-${process.pid}`);
  mkdirSync(path, { recursive: true });
  writeFileSync(probe, 'x', { flush: true });
  rmSync(probe);
  return `${path} can be written`;
}

function lookAtDisk(access: ArchiveAccess): Finding {
  const disk = statfsSync(access.dataPath);
  const freeBytes = disk.bavail * disk.bsize;
  const usedPercent = Math.floor(100 * usedShare(disk));
  const ok = usedPercent < access.config.get(LandingConfig).warnAt && freeBytes > access.config.get(ArchiveConfig).minimumFree;
  const found = `${formatBytes(freeBytes)} free, ${usedPercent} % used`;
  return { check: 'disk', ok, found, ...(ok ? {} : { remedy: 'Free space, or move the data folder to a larger disk' }) };
}

async function lookAtPorts(access: ArchiveAccess): Promise<string> {
  const listeners = listenersOf(access.config, access.config.get(ArchiveConfig).roles);
  await assertPortsFree(listeners);
  return listeners.map(({ port }) => port).join(', ') + ' are free';
}

async function lookAtServices(access: ArchiveAccess): Promise<string> {
  const response = await fetch(`http://${reachable(access.config.get(ArchiveConfig).healthHost)}:${access.requireRunning().healthPort}/readyz`, { signal: AbortSignal.timeout(5000) });
  const { ok, checks } = (await response.json()) as { ok: boolean; checks: Record<string, { ok: boolean; reason?: string }> };
  if (!ok) throw new Error(Object.entries(checks).filter(([, each]) => !each.ok).map(([name, { reason }]) => `${name}: ${reason}`).join('; '));
  return `${Object.keys(checks).join(', ')} are ready`;
}

async function lookInside(access: ArchiveAccess): Promise<Finding[]> {
  const database = await finding('database', () => access.withDatabases(async () => 'answers'));
  if (!database.ok) return [database];
  return access.withDatabases(async (databases) => [
    await finding('database', () => lookAtServer(databases)),
    await finding('clock', () => lookAtClock(databases)),
    await finding('event log', () => lookAtLog(access, databases)),
    await finding('object store', () => lookAtStores(access)),
  ]);
}

async function lookAtServer({ imaging }: Databases): Promise<string> {
  await checkServer(imaging);
  const [server] = await imaging.query<{ version: string; size: string }>("select current_setting('server_version') as version, pg_database_size(current_database())::text as size");
  return `PostgreSQL ${server!.version}, durable settings, ${formatBytes(Number(server!.size))}`;
}

async function lookAtClock({ imaging }: Databases): Promise<string> {
  const before = Date.now();
  const [row] = await imaging.query<{ ms: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms');
  const difference = Math.round(row!.ms - (before + Date.now()) / 2);
  if (Math.abs(difference) > GREATEST_CLOCK_DIFFERENCE_MS) throw new Error(`This machine and the database differ by ${difference} ms; set both clocks by NTP`);
  return `agrees with the database within ${Math.abs(difference)} ms`;
}

async function lookAtLog({ config }: ArchiveAccess, { imaging }: Databases): Promise<string> {
  if (usesKafka(config)) return lookAtTopics(config);
  const [row] = await imaging.query<{ oldest: number | null }>(
    "select extract(epoch from max(now() - xact_start))::float8 as oldest from pg_stat_activity where state <> 'idle' and backend_type = 'client backend'",
  );
  if ((row!.oldest ?? 0) > 60) throw new Error(`A transaction has been open for ${Math.round(row!.oldest!)} s and holds back the event log; end it`);
  return 'no long transaction holds it back';
}

async function lookAtTopics(config: EffectiveConfig): Promise<string> {
  const { checkTopics } = await import('@perennia/event-log-kafka');
  const eventLog = await openKafka({ config, databaseUrl: '', clientName: 'perennia vna', retries: 2, log: createLogger('cli', 'silent'), clock: new SystemClock() });
  try {
    const findings = await eventLog.withAdmin('tell its topics', (admin) => checkTopics(admin, config.get(KafkaConfig)));
    const wrong = findings.filter(({ state }) => state !== 'as declared').map(({ topic, state, reason }) => `${topic} ${reason ?? state}`);
    if (wrong.length > 0) throw new ConfigurationError(`On Kafka, ${wrong.join('; ')}`, { remedy: 'Compare with "vna topics"; create what is missing with "vna topics --create"' });
    return `Kafka answers, ${findings.length} topics as declared`;
  } finally {
    await eventLog.close();
  }
}

function lookAtStores(access: ArchiveAccess): Promise<string> {
  return withPlaces(access, async ({ tiers }) => {
    for (const store of tiers.stores.values()) await lookAtStore(store);
    return `in ${tiers.names.join(', ')} an object was written, read and removed`;
  });
}

async function lookAtStore(store: ObjectStore): Promise<void> {
  const key = `work/doctor/${process.pid}-${Date.now()}`;
  const writer = await store.create(key);
  await writer.write(Buffer.from('doctor'));
  await writer.commit();
  const read = await store.read(key, 0, 6);
  await store.delete(key);
  if (read.toString() !== 'doctor') throw new Error('An object did not come back as it was written; check the storage');
}
