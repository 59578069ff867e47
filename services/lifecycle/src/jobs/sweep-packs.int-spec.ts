import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HOT_TIER, type InstanceReceived } from '@perennia/contracts';
import { IndexBatch, PatientDirectory, incomingInstances } from '@perennia/indexing';
import { JobQueue } from '@perennia/jobs';
import { FsObjectStore } from '@perennia/object-store-fs';
import { StorageTiers, PackWriter, packKey, packedReceipt } from '@perennia/storage';
import { Clock, createLogger } from '@perennia/telemetry';
import { cloneTemplateDatabase, part10, receipt, seededUid, type TestDatabase } from '@perennia/testing';
import { SweepPacks, type SweepPayload } from './sweep-packs.js';

const HOUR_MS = 3_600_000;

class SetClock extends Clock {
  now = 0;
  nowMs = (): number => this.now;
  monotonicMs = (): number => this.now;
  sleep = (): Promise<void> => Promise.resolve();
}

const directory = mkdtempSync(join(tmpdir(), 'perennia-sweep-'));
const clock = new SetClock();
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
beforeEach(async () => {
  await database.imaging.query('truncate imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory, imaging.duplicate, imaging.job');
  for (const key of await packs()) await store.delete(key);
  clock.now = Date.parse('2024-02-01T12:00:00Z');
});

const packs = (): Promise<string[]> => Array.fromAsync(store.list('data/'), ({ key }) => key);

/** A pack of two objects, begun at that time. */
async function writePack(name: string, writtenAt: string): Promise<{ key: string; received: InstanceReceived[] }> {
  const time = Date.parse(writtenAt).toString(16).padStart(12, '0');
  const objects = [1, 2].map((number) => part10({ sopInstanceUid: seededUid(`${name}.${number}`), instanceNumber: number }));
  const receipts = objects.map((object, index) => receipt({ receiptId: `0190aaaa-0000-7000-8000-00000000000${index + 1}` }, object));
  const key = packKey('default', receipts[0]!.studyInstanceUid, `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(packNumber++).padStart(12, '0')}`);
  const writer = new PackWriter(await store.create(key));
  for (const [index, object] of objects.entries()) await writer.add(packedReceipt(receipts[index]!), [object.bytes]);
  const { entries } = await writer.commit();
  return { key, received: entries.map((entry, index) => ({ ...receipts[index]!, place: { tier: HOT_TIER, key, offset: entry.offset, length: entry.length } })) };
}
let packNumber = 1;

async function enterIntoCatalogue(received: readonly InstanceReceived[]): Promise<void> {
  await new IndexBatch(database.imaging, new PatientDirectory(database.control), null, clock).apply(incomingInstances(received));
  await database.imaging.query(`update imaging.copy set state = 'verified'`);
}

async function look(payload: SweepPayload): Promise<void> {
  const sweep = new SweepPacks({ imaging: database.imaging, tiers: StorageTiers.single(HOT_TIER, store), jobs: new JobQueue(database.imaging), clock, log: createLogger('test', 'silent'), orphanAgeMs: 24 * HOUR_MS });
  await sweep.run({ payload, cursor: null, signal: new AbortController().signal, checkpoint: async () => {} });
}
/** Both looks, as the job runner would have them. */
async function sweepTwice(): Promise<void> {
  await look({});
  const [second] = await database.imaging.query<{ payload: SweepPayload }>(`select payload from imaging.job where payload ? 'suspects'`);
  if (second) await look(second.payload);
}

describe('SweepPacks', () => {
  it('removes a pack that nothing refers to, a day old, when all in it stands elsewhere', async () => {
    const orphan = await writePack('a', '2024-01-31T08:00:00Z');
    const referred = await writePack('a', '2024-01-31T09:00:00Z');
    await enterIntoCatalogue(referred.received);
    await look({});
    expect(await packs()).toHaveLength(2);
    await sweepTwice();
    expect(await packs()).toEqual([referred.key]);
    expect(await packs()).not.toContain(orphan.key);
  });

  it('leaves a young pack alone: its filing may be about to be committed', async () => {
    await writePack('a', '2024-02-01T08:00:00Z');
    await enterIntoCatalogue((await writePack('a', '2024-01-31T09:00:00Z')).received);
    await sweepTwice();
    expect(await packs()).toHaveLength(2);
  });

  it('leaves a pack alone that rows refer to by the time of the second look', async () => {
    const pack = await writePack('a', '2024-01-31T08:00:00Z');
    await look({});
    await enterIntoCatalogue(pack.received);
    await look({ suspects: [{ tier: HOT_TIER, key: pack.key }] });
    expect(await packs()).toEqual([pack.key]);
  });

  it('keeps a pack whose objects the catalogue does not know: after a restored backup it is the only witness', async () => {
    const pack = await writePack('lost', '2024-01-31T08:00:00Z');
    await sweepTwice();
    expect(await packs()).toEqual([pack.key]);
  });

  it('asks for the next sweep once a day', async () => {
    await look({});
    await look({});
    expect(await database.imaging.query('select dedupe_key from imaging.job')).toEqual([{ dedupe_key: 'sweep 2024-02-02' }]);
  });
});
