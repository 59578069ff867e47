import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { IndexBatch, PatientDirectory, incomingInstances } from '@perennia/indexing';
import { FsObjectStore } from '@perennia/object-store-fs';
import { SystemClock } from '@perennia/telemetry';
import { cloneTemplateDatabase, instanceReceived, receipt, seededUid, type TestDatabase } from '@perennia/testing';
import { LandingPressure } from '../filing/landing-pressure.js';
import { JobQueue } from '@perennia/jobs';
import { createLogger } from '@perennia/telemetry';
import { BuildMetadata, METADATA_QUEUE, type MetadataPayload } from './build-metadata.job.js';
import { QuietStudies } from './quiet-studies.js';

const directory = mkdtempSync(join(tmpdir(), 'perennia-metadata-'));
const clock = new SystemClock();
let database: TestDatabase;
let store: FsObjectStore;

beforeAll(async () => {
  database = await cloneTemplateDatabase();
  store = await FsObjectStore.open({ directory });
});
afterAll(async () => {
  await store.close();
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => database.imaging.query('truncate imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory'));

async function receive(series: string, ...numbers: number[]): Promise<void> {
  const made = numbers.map((number) => instanceReceived(receipt({ seriesInstanceUid: seededUid(series), sopInstanceUid: seededUid(`${series}.${number}`) })));
  await new IndexBatch(database.imaging, new PatientDirectory(database.control), null, clock).apply(incomingInstances(made));
}
async function versionOf(id: string): Promise<number> {
  return (await database.imaging.query<{ version: number }>('select version from imaging.series where id = $1', [id]))[0]!.version;
}
/** @param duringBuild happens while the blob is made */
async function run(duringBuild: () => Promise<void> = async () => {}): Promise<void> {
  const [study] = await database.imaging.query<MetadataPayload>('select bucket, id as "studyId" from imaging.study');
  const metadata = {
    build: async (_bucket: number, seriesId: string) => {
      const version = await versionOf(seriesId);
      await duringBuild();
      return { blob: Buffer.from(`blob of ${seriesId} ${version}`), version };
    },
  };
  const pressure = new LandingPressure(database.imaging, { settle: 0, hurrySettle: 0, hurrySegments: 4, filers: 2, maxSegments: 20 });
  await new BuildMetadata(database.imaging, metadata, store, pressure, clock).run({ payload: study!, signal: new AbortController().signal });
}
const blobs = (): Promise<string[]> => Array.fromAsync(store.list('work/metadata/'), ({ key }) => key);
const rows = (): Promise<{ metadata_key: string | null; valid: boolean | null }[]> =>
  database.imaging.query('select metadata_key, metadata_version = version as valid from imaging.series order by id');

describe('BuildMetadata', () => {
  it('enters one blob for each series, and replaces it when the series has changed', async () => {
    await receive('A', 1);
    await receive('B', 1);
    await run();
    const first = await rows();
    expect(first.map(({ valid }) => valid)).toEqual([true, true]);
    await receive('A', 2);
    await run();
    await run();
    const second = await rows();
    expect(second.map(({ valid }) => valid)).toEqual([true, true]);
    expect(second.filter(({ metadata_key }, index) => metadata_key === first[index]!.metadata_key)).toHaveLength(1);
    expect(await blobs()).toEqual(second.map(({ metadata_key }) => metadata_key).toSorted());
  });

  it('does not enter a blob of a version that is past', async () => {
    await receive('C', 1);
    const before = await blobs();
    await run(() => receive('C', 2));
    expect(await rows()).toEqual([{ metadata_key: null, valid: null }]);
    expect(await blobs()).toEqual(before);
  });
});

describe('QuietStudies', () => {
  const large = Array.from({ length: 128 }, (_, number) => number);
  const pressure = (): LandingPressure => new LandingPressure(database.imaging, { settle: 0, hurrySettle: 0, hurrySegments: 4, filers: 2, maxSegments: 20 });
  const jobs = (): Promise<unknown[]> => database.imaging.query(`select payload from imaging.job where queue = $1 and state = 'queued'`, [METADATA_QUEUE]);
  const quiet = (): QuietStudies => new QuietStudies(database.imaging, new JobQueue(database.imaging), pressure(), clock, createLogger('quiet-studies', 'silent'));
  const tenSecondsLater = (): Promise<unknown> => database.imaging.query(`update imaging.study set last_received_at = last_received_at - interval '10 s'`);

  beforeEach(() => database.imaging.query('truncate imaging.job, imaging.relay_position'));

  it('orders a large series that is quiet and lacks metadata', async () => {
    await receive('D', ...large);
    expect(await quiet().once()).toBe(0);
    await tenSecondsLater();
    expect(await quiet().once()).toBe(1);
    expect(await jobs()).toHaveLength(1);
    await run();
    expect(await quiet().once()).toBe(0);
  });

  it('goes on behind what it has ordered', async () => {
    await receive('E', ...large);
    await tenSecondsLater();
    const studies = quiet();
    expect([await studies.once(), await studies.once()]).toEqual([1, 0]);
  });

  it('leaves small series to filing', async () => {
    await receive('F', ...large.slice(1));
    await tenSecondsLater();
    expect(await quiet().once()).toBe(0);
  });

  it('waits while something is received', async () => {
    await receive('G', ...large);
    await tenSecondsLater();
    await database.imaging.query(`insert into imaging.relay_position (owner, generation, offset_bytes) values ('other', 1, 0)`);
    expect(await quiet().once()).toBe(0);
    expect(await jobs()).toEqual([]);
  });
});
