// Filing from real landing segments into real packs, over a real database: the archive without its protocols.
import { openSync, readFileSync, writeSync, closeSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HOT_TIER, LANDING_TIER } from '@perennia/contracts';
import { emptyCatalogue } from '@perennia/indexing';
import { readPackIndex } from '@perennia/storage';
import { FilingClaims } from './filing/filing-claims.js';
import { loadStudies } from './filing/load-studies.js';
import { WritePacks } from './filing/write-packs.js';
import {
  clock, copies, database, disposed, expectRebuildEqual, filer, index, land, landedRecords, landingReader, packFile, packs, reader, reasons, rebuild,
  receive, rot, same, settle, storage, store, studyStates, tiers, uid, verifier, useFilingArchive,
} from '../test-parts/filing-archive.js';

useFilingArchive();

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

  it('given two processes that file, then each study is filed by one of them, and by the other when the first is gone', async () => {
    const claimed = new FilingClaims(database.imaging, clock);
    for (const study of ['A', 'B', 'C']) await receive(study, 'ct', 1);
    settle();
    const studies = await database.imaging.query<{ bucket: number; id: string }>('select bucket, id from imaging.study order by id');
    expect(await claimed.claim(studies.slice(0, 2))).toHaveLength(2);
    expect(await filer().loop.once()).toBe(1);
    claimed.close();
    await database.imaging.query(`update imaging.filing_claim set until = now() - interval '1 second'`);
    expect(await filer().loop.once()).toBe(2);
    expect(await database.imaging.query('select from imaging.filing_claim')).toEqual([]);
  });

  it('loses nothing and counts nothing twice when the process ends between the pack and its commit', async () => {
    await receive('A', 'ct', 3);
    settle();
    const { filing } = filer();
    const [study] = await database.imaging.query<{ bucket: number; id: string }>('select bucket, id from imaging.study');
    const loaded = await loadStudies(database.imaging, [study!]);
    await new WritePacks({ tiers: storage, reader, verify: 'full' }).write(loaded[0]!);
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
    const file = packFile({ tier: HOT_TIER, key: copy.object_key });
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.from('x'), 0, 1, readFileSync(file).length - 100);
    closeSync(descriptor);
    await emptyCatalogue(database.imaging);
    expect(await rebuild(false, false)).toMatchObject({ instances: 2, damagedPacks: [copy.object_key] });
  });
});
