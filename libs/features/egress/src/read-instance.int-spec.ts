// Choice of copies, moves and damage, with copies in a real database.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Place } from '@perennia/contracts';
import { CorruptDataError, PlaceMovedError, UnavailableError } from '@perennia/errors';
import { PlaceReader } from '@perennia/storage';
import { JobQueue } from '@perennia/jobs';
import { cloneTemplateDatabase, generateCatalogue, generatedUid, type TestDatabase } from '@perennia/testing';
import { InstanceDirectory } from './instance-directory.js';
import { ReadInstance, READ_BYTES } from './read-instance.js';
import { planReads, RetrieveInstances } from './retrieve-instances.js';
import type { StoredInstance } from './stored-instance.js';

/** Objects in memory; a key may be set to fail. */
class MemoryPlaces extends PlaceReader {
  readonly objects = new Map<string, Buffer>();
  readonly failing = new Map<string, () => Error>();
  reads = 0;

  async read(place: Place, offset: number, length: number): Promise<Buffer> {
    this.reads++;
    const failure = this.failing.get(place.key);
    if (failure) throw failure();
    return this.objects.get(place.key)!.subarray(place.offset + offset, place.offset + offset + length);
  }
  readStream(place: Place, offset: number, length: number): Readable {
    return Readable.from([this.objects.get(place.key)!.subarray(place.offset + offset, place.offset + offset + length)]);
  }
}

const selection = { tenantId: 'default', studyInstanceUid: generatedUid({}, 0) };
const LENGTH = 1000;
let database: TestDatabase;
let directory: InstanceDirectory;
let places: MemoryPlaces;
let readInstance: ReadInstance;

async function states(): Promise<Record<string, string>> {
  const rows = await database.imaging.query<{ object_key: string; state: string }>('select object_key, state from imaging.copy where object_key in ($1, $2)', ['pack', 'second']);
  return Object.fromEntries(rows.map(({ object_key: key, state }) => [key, state]));
}
async function addCopy(key: string, copyNumber: number, state: string, tier = 'hot'): Promise<void> {
  await database.imaging.query(
    `insert into imaging.copy (bucket, instance_id, copy_number, tier, object_key, offset_bytes, length_bytes, state)
     select bucket, id, $2, $4, $1, (instance_number - 1) * ${LENGTH}, ${LENGTH}, $3 from imaging.instance`,
    [key, copyNumber, state, tier],
  );
}
const instances = (): Promise<StoredInstance[]> => directory.instances(selection, 'stored');

beforeAll(async () => {
  database = await cloneTemplateDatabase();
  await generateCatalogue(database.imaging, { studies: 1, seriesPerStudy: 1, instancesPerSeries: 5 });
  directory = new InstanceDirectory({ imaging: database.imaging, jobs: new JobQueue(database.imaging), tiers: ['hot', 'archive'], trustMs: 86_400_000 });
}, 60_000);
afterAll(() => database?.close());
beforeEach(async () => {
  await database.imaging.query('delete from imaging.copy');
  places = new MemoryPlaces();
  for (const key of ['pack', 'second', 'landing']) places.objects.set(key, Buffer.from(Array.from({ length: 5 * LENGTH }, (_, index) => (index / 7) & 0xff)));
  readInstance = new ReadInstance(directory, places);
});

describe('ReadInstance', () => {
  it('takes the verified copy in a pack before the written one in the landing area', async () => {
    await addCopy('landing', 1, 'written', 'landing');
    await addCopy('pack', 2, 'verified');
    expect((await instances()).map(({ copy }) => copy.place.key)).toEqual(Array(5).fill('pack'));
  });
  it('takes the verified copy of the tier that is read at the least cost, whichever was made first', async () => {
    await addCopy('second', 1, 'verified', 'archive');
    await addCopy('pack', 2, 'verified', 'hot');
    expect((await instances()).map(({ copy }) => copy.place.key)).toEqual(Array(5).fill('pack'));
    await database.imaging.query(`update imaging.copy set state = 'suspect' where tier = 'hot'`);
    expect((await instances()).map(({ copy }) => copy.place.key)).toEqual(Array(5).fill('second'));
  });
  it('given a copy that nobody has looked at for a while, then it is compared with its digest before it is given out, and the next is taken when it differs', async () => {
    await addCopy('pack', 1, 'verified', 'hot');
    await addCopy('second', 2, 'verified', 'archive');
    const digestOf = (copy: number): string => createHash('sha256').update(places.objects.get('pack')!.subarray(copy * LENGTH, (copy + 1) * LENGTH)).digest('hex');
    for (let at = 0; at < 5; at++) {
      await database.imaging.query(`update imaging.copy set object_sha256 = decode($2, 'hex'), verified_at = now() - interval '2 days' where offset_bytes = $1`, [at * LENGTH, digestOf(at)]);
    }
    const [first, other] = await instances();
    places.objects.get('pack')![first!.copy.place.offset + 500]! ^= 1;
    expect(first!.copy.unproven).toBeDefined();
    await Promise.all([readInstance.prove(first!), readInstance.prove(first!), readInstance.prove(other!)]);
    expect([first!.copy.place.key, other!.copy.place.key]).toEqual(['second', 'pack']);
    expect(await database.imaging.query('select object_key from imaging.copy where state = $1', ['suspect'])).toEqual([{ object_key: 'pack' }]);
    expect(await database.imaging.query(`select count(*)::int as jobs from imaging.job where queue = 'place-study'`)).toEqual([{ jobs: 1 }]);
    expect((await instances()).filter(({ copy }) => copy.unproven === undefined)).toHaveLength(2);
  });
  it('given a large object whose first copy differs near its end, then every byte that is given out is of the other copy', async () => {
    const bytes = Buffer.from(Array.from({ length: 12 * 1024 * 1024 }, (_, index) => (index / 11) & 0xff));
    const rotten = Buffer.from(bytes);
    rotten[rotten.length - 7]! ^= 1;
    places.objects.set('pack', rotten).set('second', bytes);
    const [row] = await database.imaging.query<{ bucket: number; id: string }>('select bucket, id from imaging.instance order by id limit 1');
    for (const [number, tier, key] of [[1, 'hot', 'pack'], [2, 'archive', 'second']] as const) {
      await database.imaging.query(
        `insert into imaging.copy (bucket, instance_id, copy_number, tier, object_key, offset_bytes, length_bytes, state, object_sha256) values ($1, $2, $3, $4, $5, 0, $6, 'verified', decode($7, 'hex'))`,
        [row!.bucket, row!.id, number, tier, key, bytes.length, createHash('sha256').update(bytes).digest('hex')]);
    }
    await database.imaging.query(`update imaging.copy set verified_at = now() - interval '2 days'`);
    const given: Buffer[] = [];
    for await (const pieces of new RetrieveInstances(readInstance, places).pieces(await instances())) for (const piece of pieces) given.push(Buffer.from(piece.bytes));
    expect(Buffer.concat(given).equals(bytes)).toBe(true);
  });
  it('looks a moved copy up again and goes on', async () => {
    await addCopy('landing', 1, 'written', 'landing');
    const [instance] = await instances();
    places.failing.set('landing', () => new PlaceMovedError('recycled'));
    await database.imaging.query(`update imaging.copy set tier = 'hot', object_key = 'pack', state = 'verified'`);
    expect((await readInstance.read(instance!, 10, 20)).equals(places.objects.get('pack')!.subarray(10, 30))).toBe(true);
    expect(instance!.copy.place.key).toBe('pack');
  });
  it('gives up on bytes that keep moving', async () => {
    await addCopy('landing', 1, 'written', 'landing');
    places.failing.set('landing', () => new PlaceMovedError('recycled'));
    await expect(readInstance.read((await instances())[0]!, 0, 1)).rejects.toThrow(UnavailableError);
  });
  it('marks a damaged copy suspect, reads the next, and says so when none is left', async () => {
    await addCopy('pack', 1, 'verified');
    await addCopy('second', 2, 'verified');
    places.failing.set('pack', () => new CorruptDataError('bad'));
    const [instance] = await instances();
    expect(await readInstance.read(instance!, 0, 5)).toHaveLength(5);
    expect(Object.values(await states())).toContain('suspect');
    expect((await directory.copies(instance!)).map(({ place }) => place.key)).toEqual(['second', 'pack']);
    places.failing.set('second', () => new CorruptDataError('bad too'));
    await expect(readInstance.read(instance!, 0, 5)).rejects.toThrow(/No copy/);
  });
  it('does not call a copy bad because the store does not answer', async () => {
    await addCopy('pack', 1, 'verified');
    places.failing.set('pack', () => new UnavailableError('down'));
    await expect(readInstance.read((await instances())[0]!, 0, 5)).rejects.toThrow(UnavailableError);
    expect(await states()).toEqual({ pack: 'verified' });
  });
});

describe('RetrieveInstances', () => {
  it('reads what lies end to end at once, and singly when that fails', async () => {
    await addCopy('pack', 1, 'verified');
    const retrieve = new RetrieveInstances(readInstance, places);
    const bytesOf = async (): Promise<Buffer> => {
      const found: Buffer[] = [];
      for await (const pieces of retrieve.pieces(await instances())) found.push(...pieces.map(({ bytes }) => Buffer.from(bytes)));
      return Buffer.concat(found);
    };
    expect((await bytesOf()).equals(places.objects.get('pack')!)).toBe(true);
    expect(places.reads).toBe(1);
    await addCopy('second', 2, 'written');
    places.failing.set('pack', () => new CorruptDataError('bad'));
    expect((await bytesOf()).equals(places.objects.get('second')!)).toBe(true);
  });
  it('cuts runs and large instances into reads of equal size, and never joins records of the landing area', () => {
    const at = (key: string, offset: number, length: number, tier = 'hot'): StoredInstance => ({ copy: { copyNumber: 1, place: { tier, key, offset, length } } }) as StoredInstance;
    const shape = (list: StoredInstance[]): unknown[] => [...planReads(list)].map(({ place, pieces }) => [place.key, place.offset, place.length, pieces.length]);
    const most = READ_BYTES - 1000;
    expect(shape([at('a', 0, most), at('a', most, most), at('b', 0, 10)])).toEqual([['a', 0, READ_BYTES, 2], ['a', READ_BYTES, 2 * most - READ_BYTES, 1], ['b', 0, 10, 1]]);
    const lengths = (length: number): unknown[] => shape([at('a', 5, length)]).map((each) => (each as number[])[2]);
    expect(lengths(2 * READ_BYTES + 65_537)).toEqual([READ_BYTES, READ_BYTES, 65_537]);
    // A small rest goes with what is before it.
    expect(lengths(2 * READ_BYTES + 1)).toEqual([READ_BYTES, READ_BYTES + 1]);
    // Fifty bytes before the end of a read: a preamble is never cut.
    expect(shape([at('a', 0, READ_BYTES - 50), at('a', READ_BYTES - 50, 1000)])).toEqual([['a', 0, READ_BYTES - 50, 1], ['a', READ_BYTES - 50, 1000, 1]]);
    expect(shape([at('l', 0, 10, 'landing'), at('l', 10, 10, 'landing')])).toHaveLength(2);
  });
});
