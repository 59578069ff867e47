// The archive without its protocols, for tests of filing and placement: real landing segments, real packs, a real database.
import { mkdtempSync, openSync, readdirSync, rmSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { HOT_TIER, LANDING_TIER, type InstanceReceived, type Place } from '@perennia/contracts';
import { IndexBatch, PatientDirectory, catalogueDigest, emptyCatalogue, incomingInstances, rebuildIndex } from '@perennia/indexing';
import { HeaderTap, type HeaderSummary } from '@perennia/dicom-stream';
import { JobQueue } from '@perennia/jobs';
import { FileLanding, LandingFileReader } from '@perennia/landing-file';
import { OutboxWriter } from '@perennia/messaging';
import { FsObjectStore } from '@perennia/object-store-fs';
import { CatalogueStatistics } from '@perennia/persistence';
import { StorageTiers, TieredPlaceReader, type PlaceReader } from '@perennia/storage';
import { Clock, Metrics, createLogger, NoTracing } from '@perennia/telemetry';
import { cloneTemplateDatabase, part10, receipt, seededUid, type Part10Object, type Part10Options, type ReceiptOptions, type TestDatabase } from '@perennia/testing';
import { DisposeDuplicates } from '../src/duplicates/dispose-duplicates.js';
import { CommitFiling } from '../src/filing/commit-filing.js';
import { DueStudies } from '../src/filing/due-studies.js';
import { FilingClaims } from '../src/filing/filing-claims.js';
import { FileStudies } from '../src/filing/file-studies.js';
import { FilingLoop } from '../src/filing/filing-loop.js';
import { LandingPressure } from '../src/filing/landing-pressure.js';
import { Quarantine } from '../src/filing/quarantine.js';
import { WritePacks } from '../src/filing/write-packs.js';
import { VerifyStudy } from '../src/jobs/verify-study.js';

export class MovedClock extends Clock {
  offsetMs = 0;
  nowMs = (): number => Date.now() + this.offsetMs;
  monotonicMs = (): number => performance.now() + this.offsetMs;
  sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 5)));
}

export const log = createLogger('test', 'silent');
export const uid = seededUid;
export let database: TestDatabase;
export let directory: string;
export let landing: FileLanding;
export let store: FsObjectStore;
export let secondStore: FsObjectStore | undefined;
/** Two tiers, of which the second is used only where a test wants copies in it. */
export let storage: StorageTiers;
export let reader: PlaceReader;
export let landingReader: LandingFileReader;
export let clock: MovedClock;

/** Hooks of a test file that works with it. @param withSecond whether it has a second tier, which takes a while to make */
export function useFilingArchive(withSecond = false): void {
  beforeAll(async () => {
    database = await cloneTemplateDatabase({ poolSize: 12 });
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    const tables = ['study', 'series', 'instance', 'copy', 'sop_directory', 'duplicate', 'outbox', 'segment', 'job', 'filing_claim'];
    await database.imaging.query(`truncate ${tables.map((table) => `imaging.${table}`).join(', ')}`);
    directory = mkdtempSync(join(tmpdir(), 'perennia-filing-'));
    clock = new MovedClock();
    landing = await FileLanding.open({ directory: join(directory, 'landing'), owner: 'test', clock, segmentBytes: 256 * 1024, segments: 4, reserveBytes: 0 });
    landingReader = new LandingFileReader(join(directory, 'landing'));
    store = await FsObjectStore.open({ directory: join(directory, 'objects') });
    secondStore = withSecond ? await FsObjectStore.open({ directory: join(directory, 'second') }) : undefined;
    useTiers();
    reader = new TieredPlaceReader(landingReader, storage);
  });
  afterEach(async () => {
    landingReader.close();
    await landing.close();
    await store.close();
    await secondStore?.close();
    rmSync(directory, { recursive: true, force: true });
  });
}

export function useTiers(second?: string): void {
  storage = new StorageTiers(new Map([[HOT_TIER, store], ...(secondStore ? ([['second', secondStore]] as const) : [])]), { hot: HOT_TIER, tenantHot: {}, second });
}

/** What reception finds out about the object. */
export async function headerOf({ bytes, datasetOffset }: Part10Object): Promise<Partial<HeaderSummary>> {
  const tap = new HeaderTap({ transferSyntaxUid: '1.2.840.10008.1.2.1', datasetOffset });
  tap.push(bytes.subarray(datasetOffset));
  const { warnings: _warnings, ...summary } = await tap.end();
  return summary;
}

/** Lands an object and gives what the log would carry. */
export async function land(options: ReceiptOptions & Part10Options): Promise<InstanceReceived> {
  const object = part10(options);
  const made = { ...receipt(options, object), ...(await headerOf(object)) };
  const { place } = await landing.append(JSON.stringify(made), [object.bytes]);
  return { ...made, place };
}

export function index(received: readonly InstanceReceived[]): ReturnType<IndexBatch['apply']> {
  return new IndexBatch(database.imaging, new PatientDirectory(database.control), new OutboxWriter('imaging'), clock).apply(incomingInstances(received));
}

export async function receive(study: string, series: string, count: number, more: ReceiptOptions & Part10Options = {}): Promise<InstanceReceived[]> {
  const received: InstanceReceived[] = [];
  for (let number = 1; number <= count; number++) {
    received.push(await land({
      studyInstanceUid: uid(study), seriesInstanceUid: uid(`${study}.${series}`), sopInstanceUid: uid(`${study}.${series}.${number}`), instanceNumber: number,
      pixelSeed: number, ...more,
    }));
  }
  await index(received);
  return received;
}

export const PRESSURE = { settle: 60_000, hurrySettle: 2000, hurrySegments: 3, filers: 4, maxSegments: 20 };

export interface Filer {
  loop: FilingLoop;
  duplicates: DisposeDuplicates;
  filing: FileStudies;
  quarantine: Quarantine;
}
export function filer(verify: 'full' | 'index' = 'full', packs = new WritePacks({ tiers: storage, reader, verify })): Filer {
  const { imaging } = database;
  const outbox = new OutboxWriter('imaging');
  const metrics = new Metrics();
  const jobs = new JobQueue(imaging);
  const quarantine = new Quarantine(imaging, outbox, jobs, clock, log, metrics);
  const filing = new FileStudies({ packs, committing: new CommitFiling(imaging, outbox, jobs, clock, storage.second !== undefined), quarantine, reader, tracing: new NoTracing() });
  const duplicates = new DisposeDuplicates({ imaging, reader, outbox, quarantine, clock, log });
  const pressure = new LandingPressure(imaging, PRESSURE);
  const loop = new FilingLoop({ imaging, due: new DueStudies(imaging, clock), claims: new FilingClaims(imaging, clock), filing, duplicates, pressure, clock, log, metrics, filers: 2 });
  return { loop, duplicates, filing, quarantine };
}
export const settle = (): void => void (clock.offsetMs += 61_000);

export interface CopyRow {
  instance_id: string;
  tier: string;
  state: string;
  object_key: string;
  offset_bytes: number;
  length_bytes: number;
}
export const copies = (): Promise<CopyRow[]> =>
  database.imaging.query('select instance_id, tier, state, object_key, offset_bytes, length_bytes from imaging.copy order by instance_id');
export const tiers = async (): Promise<string[]> => (await copies()).map(({ tier, state }) => `${tier} ${state}`);
export const studyStates = (): Promise<unknown[]> => database.imaging.query('select state from imaging.study order by study_instance_uid');
export const disposed = async (): Promise<number> =>
  (await database.imaging.query<{ n: number }>('select coalesce(sum(disposed_records), 0)::int as n from imaging.segment'))[0]!.n;
export const reasons = async (): Promise<string[][]> =>
  (await database.imaging.query<{ value: string }>('select value from imaging.outbox order by id')).map(({ value }) => JSON.parse(value).data.reasons);

/** Flips a byte of the object's pixels where it stands. */
export function rot(place: Place): void {
  const file = place.tier === LANDING_TIER ? join(directory, 'landing', place.key.replace(/@\d+$/, '')) : packFile(place);
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.from([0xa5]), 0, 1, place.offset + place.length - 5);
  closeSync(descriptor);
}
export function packFile({ tier, key }: Pick<Place, 'tier' | 'key'>): string {
  const folder = join(directory, tier === HOT_TIER ? 'objects' : tier);
  const name = key.split('/').at(-1)!;
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.includes(name)).map((entry) => join(entry.parentPath, entry.name))[0]!;
}
export const packs = async (): Promise<string[]> => Array.fromAsync(store.list('data/'), ({ key }) => key);

export const same = ({ studyInstanceUid, seriesInstanceUid, sopInstanceUid, search }: InstanceReceived): ReceiptOptions & Part10Options => ({
  studyInstanceUid, seriesInstanceUid, sopInstanceUid, instanceNumber: search.instanceNumber!, patientId: search.patientId,
});

export function verifier(): VerifyStudy {
  return new VerifyStudy(database.imaging, reader, filer().quarantine, clock);
}

export async function landedRecords(): Promise<unknown[]> {
  return landing.recordsAfter(null, 1000);
}

export function rebuild(bare = false, withLanding = true): ReturnType<typeof rebuildIndex> {
  const { imaging, control } = database;
  return rebuildIndex({ imaging, control, statistics: new CatalogueStatistics(imaging), tiers: storage, reader, landings: withLanding ? [landing] : [], clock }, { bare });
}

export async function expectRebuildEqual(): Promise<void> {
  const before = await catalogueDigest(database.imaging);
  for (const bare of [false, true]) {
    await emptyCatalogue(database.imaging);
    const report = await rebuild(bare);
    expect(report).toMatchObject({ damagedPacks: [] });
    expect(await catalogueDigest(database.imaging)).toEqual(before);
  }
}
