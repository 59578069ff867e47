// Copies of filed studies in a second tier, and repair of what has gone bad in either.

import { describe, expect, it } from '@jest/globals';
import { HOT_TIER, type Place } from '@perennia/contracts';
import { catalogueDigest, emptyCatalogue } from '@perennia/indexing';
import { JobQueue, placeJob, type PlacePayload } from '@perennia/jobs';
import { Metrics } from '@perennia/telemetry';
import { PlaceStudy } from './jobs/place-study.job.js';
import { copyPack } from './placement/copy-pack.js';
import {
  type CopyRow, clock, database, filer, index, land, log, packs, rebuild, receive, rot, secondStore, settle, storage, store, uid, useTiers, verifier,
  useFilingArchive,
} from '../test-parts/filing-archive.js';

useFilingArchive(true);

describe('copies in a second tier', () => {
  interface Copy extends CopyRow {
    copy_number: number;
  }
  const both = (): Promise<Copy[]> => database.imaging.query('select instance_id, copy_number, tier, state, object_key, offset_bytes, length_bytes from imaging.copy order by instance_id, copy_number');
  const statesOf = async (): Promise<string[]> => [...new Set((await both()).map(({ copy_number, tier, state }) => `${copy_number} ${tier} ${state}`))].toSorted();
  const placeOf = ({ tier, object_key, offset_bytes, length_bytes }: Copy): Place => ({ tier, key: object_key, offset: offset_bytes, length: length_bytes });
  async function place(): Promise<void> {
    const placing = new PlaceStudy({ imaging: database.imaging, tiers: storage, quarantine: filer().quarantine, clock, log, metrics: new Metrics() });
    const jobs = await database.imaging.query<{ payload: PlacePayload }>(`update imaging.job set state = 'done' where queue = 'place-study' and state = 'queued' returning payload`);
    for (const { payload } of jobs) await placing.run({ payload, signal: new AbortController().signal });
  }
  async function filedTwice(): Promise<void> {
    useTiers('second');
    await receive('A', 'ct', 3);
    await receive('A', 'mr', 2);
    settle();
    await filer().loop.once();
    await place();
  }
  const assertAllGood = async (): Promise<void> => {
    expect(await verifier().run({ tenantId: 'default', studyInstanceUid: uid('A') })).toMatchObject({ verified: 10, suspect: [] });
  };
  const rotIn = (copy: Copy): void => rot(placeOf(copy));

  it('given a filed study, then each instance has a verified copy there, and doing it again changes nothing', async () => {
    await filedTwice();
    expect(await statesOf()).toEqual(['1 hot verified', '2 second verified']);
    expect(await Array.fromAsync(secondStore!.list('data/'), ({ key }) => key)).toEqual(await packs());
    await assertAllGood();
    const before = await both();
    await new JobQueue(database.imaging).enqueue((await database.imaging.query<{ bucket: number; id: string }>('select bucket, id from imaging.study')).map(({ bucket, id }) => placeJob(bucket, id)));
    await place();
    expect(await both()).toEqual(before);
  });

  it.each([HOT_TIER, 'second'])('given a bit that flipped in the tier %s, then the copy is found, made anew from the other, and nothing was overwritten', async (tier) => {
    await filedTwice();
    const bad = (await both()).filter((copy) => copy.tier === tier)[1]!;
    rotIn(bad);
    expect((await verifier().run({ tenantId: 'default', studyInstanceUid: uid('A') })).suspect).toEqual([bad.instance_id]);
    await place();
    await assertAllGood();
    const after = (await both()).find(({ instance_id, copy_number }) => instance_id === bad.instance_id && copy_number === bad.copy_number)!;
    expect(after).toMatchObject({ tier, state: 'verified', length_bytes: bad.length_bytes });
    expect(after.object_key).not.toBe(bad.object_key);
    expect(await Array.fromAsync(storage.storeOf(tier).list('data/'))).toHaveLength(2);
  });

  it('given a whole pack that is gone from the hot tier, then its copies are made anew from the second', async () => {
    await filedTwice();
    await store.delete((await packs())[0]!);
    expect((await verifier().run({ tenantId: 'default', studyInstanceUid: uid('A') })).suspect).toHaveLength(5);
    await place();
    await assertAllGood();
  });

  it('given a pack that rotted before it was copied, then the good objects of it are copied and the bad one is put aside', async () => {
    useTiers('second');
    await receive('A', 'ct', 3);
    settle();
    await filer().loop.once();
    const [, bad] = await both();
    rotIn(bad!);
    await expect(place()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await place();
    expect(await statesOf()).toEqual(['1 hot suspect', '1 hot verified', '2 second verified']);
    expect((await both()).filter(({ copy_number }) => copy_number === 2)).toHaveLength(2);
  });

  it('given a process that ended after the copy was written, then the next one takes it', async () => {
    useTiers('second');
    await receive('A', 'ct', 2);
    settle();
    await filer().loop.once();
    await copyPack(store, (await packs())[0]!, secondStore!);
    await place();
    expect(await statesOf()).toEqual(['1 hot verified', '2 second verified']);
    expect(await Array.fromAsync(secondStore!.list('data/'))).toHaveLength(1);
  });

  it('given bytes sent again for an instance whose copies have both gone bad, then they take its place and are copied again', async () => {
    await filedTwice();
    const [first, second] = await both();
    rotIn(first!);
    rotIn(second!);
    const [instance] = await database.imaging.query<{ series_instance_uid: string; sop_instance_uid: string; instance_number: number }>(
      'select se.series_instance_uid, i.sop_instance_uid, i.instance_number from imaging.instance i join imaging.series se on se.id = i.series_id where i.id = $1', [first!.instance_id]);
    const { series_instance_uid: seriesInstanceUid, sop_instance_uid: sopInstanceUid, instance_number: instanceNumber } = instance!;
    await index([await land({ studyInstanceUid: uid('A'), seriesInstanceUid, sopInstanceUid, instanceNumber, pixelSeed: instanceNumber, sourceAet: 'A_LONGER_AE' })]);
    await filer().duplicates.once();
    settle();
    await filer().loop.once();
    await place();
    await assertAllGood();
  });

  it('a rebuild from both tiers gives what was there', async () => {
    await filedTwice();
    const found = async (): Promise<unknown[]> => [await catalogueDigest(database.imaging), (await both()).map((copy) => ({ ...copy, state: '' }))];
    const before = await found();
    for (const bare of [false, true]) {
      await emptyCatalogue(database.imaging);
      await rebuild(bare);
      expect(await found()).toEqual(before);
    }
  });
});
