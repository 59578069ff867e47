// How fast received objects are filed, and how fast the catalogue is rebuilt from the packs. From the root of the workspace:
//   node --conditions=source --no-warnings --import ./libs/testing/src/child-process/source-loader.mjs test/load/filing.bench.ts [objects] [bytes] [perStudy] [full|index]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { HOT_TIER, type InstanceReceived } from '@perennia/contracts';
import { IndexBatch, PatientDirectory, catalogueDigest, emptyCatalogue, incomingInstances, rebuildIndex } from '@perennia/indexing';
import { JobQueue } from '@perennia/jobs';
import { FileLanding, LandingFileReader } from '@perennia/landing-file';
import { OutboxWriter } from '@perennia/messaging';
import { FsObjectStore } from '@perennia/object-store-fs';
import { CatalogueStatistics } from '@perennia/persistence';
import { StorageTiers, TieredPlaceReader } from '@perennia/storage';
import { Metrics, SystemClock, createLogger, NoTracing } from '@perennia/telemetry';
import { part10 } from '../../libs/testing/src/builders/part10.js';
import { receipt } from '../../libs/testing/src/builders/receipt.js';
import { seededUid } from '../../libs/testing/src/builders/seeded-uid.js';
import { cloneTemplateDatabase } from '../../libs/testing/src/database/template-database.js';
import { DisposeDuplicates } from '../../services/lifecycle/src/duplicates/dispose-duplicates.js';
import { CommitFiling } from '../../services/lifecycle/src/filing/commit-filing.js';
import { DueStudies } from '../../services/lifecycle/src/filing/due-studies.js';
import { FilingClaims } from '../../services/lifecycle/src/filing/filing-claims.js';
import { FileStudies } from '../../services/lifecycle/src/filing/file-studies.js';
import { FilingLoop } from '../../services/lifecycle/src/filing/filing-loop.js';
import { LandingPressure } from '../../services/lifecycle/src/filing/landing-pressure.js';
import { Quarantine } from '../../services/lifecycle/src/filing/quarantine.js';
import { WritePacks } from '../../services/lifecycle/src/filing/write-packs.js';

const [total = 2000, bytes = 540_000, perStudy = 200] = process.argv.slice(2, 5).map(Number);
const verify = process.argv[5] === 'index' ? 'index' : 'full';
const BATCH = 2000;

const directory = mkdtempSync(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'perennia-filing-bench-'));
const database = await cloneTemplateDatabase({ poolSize: 8 });
const clock = new SystemClock();
const log = createLogger('bench', 'warn');
const landing = await FileLanding.open({ directory: join(directory, 'landing'), owner: 'bench', clock, maxSegments: 200 });
const store = await FsObjectStore.open({ directory: join(directory, 'objects') });
const tiers = StorageTiers.single(HOT_TIER, store);
const reader = new TieredPlaceReader(new LandingFileReader(join(directory, 'landing')), tiers);
const { imaging, control } = database;
const outbox = new OutboxWriter('imaging');
const metrics = new Metrics();
const statistics = new CatalogueStatistics(imaging);

/** Wall and CPU of some work, per object. */
async function measure(name: string, work: () => Promise<number>): Promise<void> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const objects = await work();
  const seconds = (performance.now() - startMs) / 1000;
  const used = process.cpuUsage(cpu);
  const result = {
    name, objects, perSecond: Math.round(objects / seconds), megabytesPerSecond: Math.round((objects * bytes) / seconds / 1e6),
    ownCores: Number(((used.user + used.system) / 1e6 / seconds).toFixed(2)), ownCpuUsPerObject: Math.round((used.user + used.system) / objects),
    userUs: Math.round(used.user / objects), systemUs: Math.round(used.system / objects),
    residentMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function receive(): Promise<void> {
  const indexer = new IndexBatch(imaging, new PatientDirectory(control), outbox, clock);
  for (let from = 0; from < total; from += BATCH) {
    const count = Math.min(BATCH, total - from);
    const received = await Promise.all(Array.from({ length: count }, async (_, index): Promise<InstanceReceived> => {
      const number = from + index;
      const study = Math.floor(number / perStudy);
      const object = part10({
        studyInstanceUid: seededUid(`study${study}`), seriesInstanceUid: seededUid(`series${study}`), sopInstanceUid: seededUid(`instance${number}`),
        patientId: `P${study}`, instanceNumber: number % perStudy, pixelBytes: bytes - (bytes % 2), pixelSeed: number,
      });
      const made = receipt({}, object);
      return { ...made, place: (await landing.append(JSON.stringify(made), [object.bytes])).place };
    }));
    const { instances } = await indexer.apply(incomingInstances(received));
    await statistics.analyzeWhenGrown(instances);
  }
}

try {
  await receive();
  const jobs = new JobQueue(imaging);
  const quarantine = new Quarantine(imaging, outbox, jobs, clock, log, metrics);
  const filing = new FileStudies({ packs: new WritePacks({ tiers, reader, verify }), committing: new CommitFiling(imaging, outbox, jobs, clock, false), quarantine, reader, tracing: new NoTracing() });
  const due = new DueStudies(imaging, clock);
  const duplicates = new DisposeDuplicates({ imaging, reader, outbox, quarantine, clock, log });
  const pressure = new LandingPressure(imaging, { settle: 0, hurrySettle: 0, hurrySegments: 4, filers: 2, maxSegments: 20 });
  const loop = new FilingLoop({ imaging, due, claims: new FilingClaims(imaging, clock), filing, duplicates, pressure, clock, log, metrics, filers: 2 });
  await measure(`file ${verify}`, async () => (await Promise.all([loop.once(), loop.once()])).reduce((sum, moved) => sum + moved, 0));
  const hot = await imaging.query<{ updates: number; hot: number }>(
    `select sum(n_tup_upd)::int as updates, sum(n_tup_hot_upd)::int as hot from pg_stat_user_tables where schemaname = 'imaging' and relname like 'copy%'`);
  process.stdout.write(`${JSON.stringify({ copyUpdates: hot[0] })}\n`);
  const before = await catalogueDigest(imaging);
  for (const bare of [false, true]) {
    await emptyCatalogue(imaging);
    await measure(bare ? 'rebuild bare' : 'rebuild', async () => (await rebuildIndex({ imaging, control, statistics, tiers, reader, landings: [], clock }, { bare })).instances);
    process.stdout.write(`${JSON.stringify({ bare, equal: (await catalogueDigest(imaging)).sha256 === before.sha256 })}\n`);
  }
} finally {
  await landing.close();
  await store.close();
  await database.close();
  rmSync(directory, { recursive: true, force: true });
}
