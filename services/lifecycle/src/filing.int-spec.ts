// Filing from real landing segments into real packs, over a real database: the archive without its protocols.
import { mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HOT_TIER, LANDING_TIER, type InstanceReceived, type Place } from '@perennia/contracts';
import { IndexBatch, PatientDirectory, catalogueDigest, emptyCatalogue, incomingInstances, rebuildIndex } from '@perennia/indexing';
import { HeaderTap, type HeaderSummary } from '@perennia/dicom-stream';
import { JobQueue } from '@perennia/jobs';
import { FileLanding, LandingFileReader } from '@perennia/landing-file';
import { OutboxWriter } from '@perennia/messaging';
import { FsObjectStore } from '@perennia/object-store-fs';
import { CatalogueStatistics } from '@perennia/persistence';
import { TieredPlaceReader, readPackIndex, type PlaceReader } from '@perennia/storage';
import { Clock, Metrics, createLogger } from '@perennia/telemetry';
import { cloneTemplateDatabase, part10, receipt, seededUid, type Part10Object, type Part10Options, type ReceiptOptions, type TestDatabase } from '@perennia/testing';
import { DisposeDuplicates } from './duplicates/dispose-duplicates.js';
import { CommitFiling } from './filing/commit-filing.js';
import { DueStudies } from './filing/due-studies.js';
import { FileStudies } from './filing/file-studies.js';
import { FilingLoop } from './filing/filing-loop.js';
import { LandingPressure } from './filing/landing-pressure.js';
import { loadStudies } from './filing/load-studies.js';
import { Quarantine } from './filing/quarantine.js';
import { WritePacks } from './filing/write-packs.js';
import { VerifyStudy } from './jobs/verify-study.js';

class MovedClock extends Clock {
  offsetMs = 0;
  nowMs = (): number => Date.now() + this.offsetMs;
  monotonicMs = (): number => performance.now() + this.offsetMs;
  sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 5)));
}

const log = createLogger('test', 'silent');
const uid = seededUid;
let database: TestDatabase;
let directory: string;
let landing: FileLanding;
let store: FsObjectStore;
let reader: PlaceReader;
let landingReader: LandingFileReader;
let clock: MovedClock;

beforeAll(async () => {
  database = await cloneTemplateDatabase({ poolSize: 12 });
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.imaging.query('truncate imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory, imaging.duplicate, imaging.outbox, imaging.segment, imaging.job');
  directory = mkdtempSync(join(tmpdir(), 'perennia-filing-'));
  clock = new MovedClock();
  landing = await FileLanding.open({ directory: join(directory, 'landing'), owner: 'test', clock, segmentBytes: 256 * 1024, segments: 4, reserveBytes: 0 });
  landingReader = new LandingFileReader(join(directory, 'landing'));
  store = await FsObjectStore.open({ directory: join(directory, 'objects') });
  reader = new TieredPlaceReader(landingReader, new Map([[HOT_TIER, store]]));
});
afterEach(async () => {
  landingReader.close();
  await landing.close();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What reception finds out about the object. */
async function headerOf({ bytes, datasetOffset }: Part10Object): Promise<Partial<HeaderSummary>> {
  const tap = new HeaderTap({ transferSyntaxUid: '1.2.840.10008.1.2.1', datasetOffset });
  tap.push(bytes.subarray(datasetOffset));
  const { warnings: _warnings, ...summary } = await tap.end();
  return summary;
}

/** Lands an object and gives what the log would carry. */
async function land(options: ReceiptOptions & Part10Options): Promise<InstanceReceived> {
  const object = part10(options);
  const made = { ...receipt(options, object), ...(await headerOf(object)) };
  const { place } = await landing.append(JSON.stringify(made), [object.bytes]);
  return { ...made, place };
}

function index(received: readonly InstanceReceived[]): ReturnType<IndexBatch['apply']> {
  return new IndexBatch(database.imaging, new PatientDirectory(database.control), new OutboxWriter('imaging'), clock).apply(incomingInstances(received));
}

async function receive(study: string, series: string, count: number, more: ReceiptOptions & Part10Options = {}): Promise<InstanceReceived[]> {
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

const PRESSURE = { settle: 60_000, hurrySettle: 2000, hurrySegments: 3, filers: 4, maxSegments: 20 };

interface Filer {
  loop: FilingLoop;
  duplicates: DisposeDuplicates;
  filing: FileStudies;
  quarantine: Quarantine;
}
function filer(verify: 'full' | 'index' = 'full', packs = new WritePacks({ store, reader, verify })): Filer {
  const { imaging } = database;
  const outbox = new OutboxWriter('imaging');
  const metrics = new Metrics();
  const quarantine = new Quarantine(imaging, outbox, clock, log, metrics);
  const filing = new FileStudies({ packs, committing: new CommitFiling(imaging, outbox, new JobQueue(imaging), clock), quarantine, reader });
  const duplicates = new DisposeDuplicates({ imaging, reader, outbox, quarantine, clock, log });
  const pressure = new LandingPressure(imaging, PRESSURE);
  const loop = new FilingLoop({ imaging, due: new DueStudies(imaging, clock), filing, duplicates, pressure, clock, log, metrics, filers: 2 });
  return { loop, duplicates, filing, quarantine };
}
const settle = (): void => void (clock.offsetMs += 61_000);

interface CopyRow {
  instance_id: string;
  tier: string;
  state: string;
  object_key: string;
  offset_bytes: number;
  length_bytes: number;
}
const copies = (): Promise<CopyRow[]> =>
  database.imaging.query('select instance_id, tier, state, object_key, offset_bytes, length_bytes from imaging.copy order by instance_id');
const tiers = async (): Promise<string[]> => (await copies()).map(({ tier, state }) => `${tier} ${state}`);
const studyStates = (): Promise<unknown[]> => database.imaging.query('select state from imaging.study order by study_instance_uid');
const disposed = async (): Promise<number> =>
  (await database.imaging.query<{ n: number }>('select coalesce(sum(disposed_records), 0)::int as n from imaging.segment'))[0]!.n;
const reasons = async (): Promise<string[][]> =>
  (await database.imaging.query<{ value: string }>('select value from imaging.outbox order by id')).map(({ value }) => JSON.parse(value).data.reasons);

/** Flips a byte of the object's pixels where it stands. */
function rot(place: Place): void {
  const file = place.tier === LANDING_TIER ? join(directory, 'landing', place.key.replace(/@\d+$/, '')) : packFile(place.key);
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.from([0xa5]), 0, 1, place.offset + place.length - 5);
  closeSync(descriptor);
}
function packFile(key: string): string {
  const name = key.split('/').at(-1)!;
  return readdirSync(join(directory, 'objects'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.includes(name)).map((entry) => join(entry.parentPath, entry.name))[0]!;
}
const packs = async (): Promise<string[]> => Array.fromAsync(store.list('data/'), ({ key }) => key);

describe('filing', () => {
  it('moves a quiet study into one pack in the order of its series, byte for byte, and counts its records as disposed of', async () => {
    const received = [...(await receive('A', 'ct', 5, { seriesNumber: 2 })), ...(await receive('A', 'scout', 2, { seriesNumber: 1 }))];
    const { loop } = filer();
    expect(await loop.once()).toBe(0);
    settle();
    expect(await loop.once()).toBe(7);
    const [key, ...others] = await packs();
    expect(others).toEqual([]);
    const entries = await readPackIndex(store, key!);
    expect(entries.map(({ receipt: { search } }) => `${search.seriesNumber}.${search.instanceNumber}`)).toEqual(['1.1', '1.2', '2.1', '2.2', '2.3', '2.4', '2.5']);
    for (const { receiptId, place } of received) {
      const copy = (await copies()).find(({ instance_id }) => instance_id === receiptId)!;
      expect(copy).toMatchObject({ tier: HOT_TIER, state: 'verified', object_key: key });
      const filed = await reader.read({ tier: copy.tier, key: copy.object_key, offset: copy.offset_bytes, length: copy.length_bytes }, 0, copy.length_bytes);
      expect(filed.equals(await landingReader.read(place, 0, place.length))).toBe(true);
    }
    expect(await studyStates()).toEqual([{ state: 'settled' }]);
    expect(await disposed()).toBe(7);
    expect((await reasons()).at(-1)).toEqual(['settled']);
    expect(await database.imaging.query('select queue from imaging.job')).toEqual([{ queue: 'build-metadata' }]);
  });

  it('files many small studies in few transactions, also when two filers meet', async () => {
    for (let study = 0; study < 30; study++) await receive(`S${study}`, 'x', 3);
    settle();
    const moved = await Promise.all([filer().loop.once(), filer().loop.once()]);
    expect(moved[0] + moved[1]).toBe(90);
    expect(new Set(await tiers())).toEqual(new Set([`${HOT_TIER} verified`]));
    expect(await disposed()).toBe(90);
  });

  it('makes a further pack of what arrives late', async () => {
    await receive('A', 'ct', 2);
    settle();
    const { loop } = filer();
    await loop.once();
    await receive('A', 'late', 2);
    expect(await studyStates()).toEqual([{ state: 'open' }]);
    settle();
    expect(await loop.once()).toBe(2);
    expect(await packs()).toHaveLength(2);
    expect(await studyStates()).toEqual([{ state: 'settled' }]);
  });

  it('leaves a study open that received something while it was filed', async () => {
    await receive('A', 'ct', 2);
    const [study] = await database.imaging.query<{ bucket: number; id: string }>('select bucket, id from imaging.study');
    const loaded = await loadStudies(database.imaging, [study!]);
    await receive('A', 'more', 1);
    expect(await filer().filing.file(loaded)).toBe(2);
    expect(await studyStates()).toEqual([{ state: 'open' }]);
    expect((await reasons()).at(-1)).toEqual(['placement']);
  });

  it('does not wait when the landing areas are filling', async () => {
    await receive('A', 'ct', 2);
    await database.imaging.query(`insert into imaging.segment (owner, generation, object_key) select 'other', n, 'other/seg-0001@' || n from generate_series(1, 7) n`);
    expect(await filer().loop.once()).toBe(2);
  });

  it('loses nothing and counts nothing twice when the process ends between the pack and its commit', async () => {
    await receive('A', 'ct', 3);
    settle();
    const { filing } = filer();
    const [study] = await database.imaging.query<{ bucket: number; id: string }>('select bucket, id from imaging.study');
    const loaded = await loadStudies(database.imaging, [study!]);
    await new WritePacks({ store, reader, verify: 'full' }).write(loaded[0]!);
    expect(new Set(await tiers())).toEqual(new Set([`${LANDING_TIER} written`]));
    expect(await filer().loop.once()).toBe(3);
    // The same study again, as a process would that has not seen the commit.
    expect(await filing.file(loaded)).toBe(0);
    expect(await disposed()).toBe(3);
  });
});

describe('bad bytes', () => {
  it.each(['full', 'index'] as const)('puts a rotten landing record aside, says so, and files the rest (verify: %s)', async (verify) => {
    const [bad, ...good] = await receive('A', 'ct', 4);
    rot(bad!.place);
    settle();
    const { loop } = filer(verify);
    expect(await loop.once()).toBe(3);
    const byId = new Map((await copies()).map((copy) => [copy.instance_id, copy]));
    expect(byId.get(bad!.receiptId)).toMatchObject({ tier: LANDING_TIER, state: 'suspect' });
    for (const { receiptId } of good) expect(byId.get(receiptId)).toMatchObject({ tier: HOT_TIER, state: 'verified' });
    expect(await disposed()).toBe(3);
    expect(await reasons()).toContainEqual(['suspect']);
    settle();
    expect(await loop.once()).toBe(0);
    expect(await packs()).toHaveLength(1);
  });

  it('drops a redundant object after the kept copy was read again', async () => {
    const [first] = await receive('A', 'ct', 1);
    await index([await land({ ...same(first!), pixelSeed: 1, sourceAet: 'OTHER_AE' })]);
    settle();
    const { loop, duplicates } = filer();
    await loop.once();
    expect(await duplicates.once()).toBe(1);
    expect(await database.imaging.query('select kind, state from imaging.duplicate')).toEqual([{ kind: 'redundant', state: 'dropped' }]);
    expect(await disposed()).toBe(2);
  });

  it('puts the bytes sent again in the place of a pack copy that has gone bad', async () => {
    const [first] = await receive('A', 'ct', 2);
    settle();
    const { loop, duplicates } = filer();
    await loop.once();
    const before = (await copies()).find(({ instance_id }) => instance_id === first!.receiptId)!;
    rot({ tier: before.tier, key: before.object_key, offset: before.offset_bytes, length: before.length_bytes });
    const again = await land({ ...same(first!), pixelSeed: 1, sourceAet: 'A_LONGER_AE' });
    await index([again]);
    expect(await duplicates.once()).toBe(1);
    settle();
    expect(await loop.once()).toBe(1);
    const after = (await copies()).find(({ instance_id }) => instance_id === first!.receiptId)!;
    expect(after).toMatchObject({ tier: HOT_TIER, state: 'verified', length_bytes: again.objectLength });
    expect(after.object_key).not.toBe(before.object_key);
    expect(await verifier().run({ tenantId: 'default', studyInstanceUid: uid('A') })).toMatchObject({ verified: 2, suspect: [] });
    expect(await disposed()).toBe(3);
    await expectRebuildEqual();
  });

  it('takes a resend for a rotten landing record and gives its segment free', async () => {
    const [first] = await receive('A', 'ct', 2);
    rot(first!.place);
    settle();
    const { loop, duplicates } = filer();
    await loop.once();
    await index([await land({ ...same(first!), pixelSeed: 1 })]);
    await duplicates.once();
    settle();
    await loop.once();
    expect(new Set(await tiers())).toEqual(new Set([`${HOT_TIER} verified`]));
    expect(await disposed()).toBe(3);
  });

  it('keeps both aside when neither is what was received', async () => {
    const [first] = await receive('A', 'ct', 1);
    const again = await land({ ...same(first!), pixelSeed: 1 });
    await index([again]);
    rot(first!.place);
    rot(again.place);
    await filer().duplicates.once();
    expect(await tiers()).toEqual([`${LANDING_TIER} suspect`]);
    expect(await database.imaging.query('select state from imaging.duplicate')).toEqual([{ state: 'suspect' }]);
    expect(await disposed()).toBe(0);
  });

  it('finds rot in a pack when a study is verified', async () => {
    const [first] = await receive('A', 'ct', 3);
    settle();
    await filer().loop.once();
    const copy = (await copies()).find(({ instance_id }) => instance_id === first!.receiptId)!;
    rot({ tier: copy.tier, key: copy.object_key, offset: copy.offset_bytes, length: copy.length_bytes });
    expect(await verifier().run({ tenantId: 'default', studyInstanceUid: uid('A') })).toMatchObject({ verified: 2, suspect: [first!.receiptId] });
    expect((await tiers()).filter((each) => each.endsWith('suspect'))).toHaveLength(1);
  });
});

describe('conflicts', () => {
  it('files an object that contradicts a kept one after it, and keeps it listed', async () => {
    const [first] = await receive('A', 'ct', 2);
    await index([await land({ ...same(first!), pixelSeed: 99 })]);
    const { loop } = filer();
    expect(await loop.once()).toBe(0);
    settle();
    expect(await loop.once()).toBe(3);
    expect(await database.imaging.query('select kind, state, tier from imaging.duplicate')).toEqual([{ kind: 'conflict', state: 'filed', tier: HOT_TIER }]);
    expect(await disposed()).toBe(3);
  });
});

describe('rebuildIndex', () => {
  it('gives the same catalogue from packs and landing segments, and the segments their counts', async () => {
    await receive('A', 'ct', 6, { patientName: 'FIRST^A' });
    await receive('A', 'sr', 2, { modality: 'SR', patientName: 'SECOND^A', accessionNumber: 'X' });
    const [b] = await receive('B', 'us', 3, { patientId: null });
    await index([await land({ ...same(b!), pixelSeed: 50 })]);
    const [c] = await receive('C', 'mr', 2);
    await index([await land({ ...same(c!), pixelSeed: 51, pixelBytes: 300, onConflict: 'supersede' })]);
    settle();
    await filer().loop.once();
    await receive('D', 'cr', 2);
    await receive('A', 'late', 1);
    await expectRebuildEqual();
    const [states] = await database.imaging.query<{ open: number; settled: number }>(
      `select count(*) filter (where state = 'open')::int as open, count(*) filter (where state = 'settled')::int as settled from imaging.study`);
    expect(states).toEqual({ open: 2, settled: 2 });
    settle();
    await filer().loop.once();
    expect(await disposed()).toBe((await landedRecords()).length);
  });

  it('refuses a catalogue that is not empty', async () => {
    await receive('A', 'ct', 1);
    await expect(rebuild()).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('tells of a pack that cannot be believed and of bytes that have gone bad', async () => {
    const [first] = await receive('A', 'ct', 2);
    await receive('B', 'ct', 2);
    settle();
    await filer().loop.once();
    const copy = (await copies()).find(({ instance_id }) => instance_id === first!.receiptId)!;
    rot({ tier: copy.tier, key: copy.object_key, offset: copy.offset_bytes, length: copy.length_bytes });
    await emptyCatalogue(database.imaging);
    expect(await rebuild(true, false)).toMatchObject({ instances: 4, damagedReceipts: [first!.receiptId], damagedPacks: [] });
    const file = packFile(copy.object_key);
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.from('x'), 0, 1, readFileSync(file).length - 100);
    closeSync(descriptor);
    await emptyCatalogue(database.imaging);
    expect(await rebuild(false, false)).toMatchObject({ instances: 2, damagedPacks: [copy.object_key] });
  });
});

const same = ({ studyInstanceUid, seriesInstanceUid, sopInstanceUid, search }: InstanceReceived): ReceiptOptions & Part10Options => ({
  studyInstanceUid, seriesInstanceUid, sopInstanceUid, instanceNumber: search.instanceNumber!, patientId: search.patientId,
});

function verifier(): VerifyStudy {
  return new VerifyStudy(database.imaging, reader, filer().quarantine, clock);
}

async function landedRecords(): Promise<unknown[]> {
  return landing.recordsAfter(null, 1000);
}

function rebuild(bare = false, withLanding = true): ReturnType<typeof rebuildIndex> {
  const { imaging, control } = database;
  return rebuildIndex({ imaging, control, statistics: new CatalogueStatistics(imaging), store, reader, landings: withLanding ? [landing] : [], clock }, { bare });
}

async function expectRebuildEqual(): Promise<void> {
  const before = await catalogueDigest(database.imaging);
  for (const bare of [false, true]) {
    await emptyCatalogue(database.imaging);
    const report = await rebuild(bare);
    expect(report).toMatchObject({ damagedPacks: [] });
    expect(await catalogueDigest(database.imaging)).toEqual(before);
  }
}
