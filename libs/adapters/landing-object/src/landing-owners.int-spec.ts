import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ConflictError, CorruptDataError, IllegalStateError, InvalidInputError, StoreFullError, UnavailableError } from '@perennia/errors';
import { S3ObjectStore, type S3ObjectStoreOptions } from '@perennia/object-store-s3';
import type { Landing, LandedRecord, ObjectInfo, ObjectWriter } from '@perennia/storage';
import { allRecords, failingShare, hasOwn, HttpFaultProxy, MemoryObjectStore, S3Server } from '@perennia/testing';
import { LandingObjectReader } from './landing-object-reader.js';
import { ENTRY_BYTES } from './log-entry.js';
import { ObjectLanding } from './object-landing.js';

const object = (number: number, sizeBytes = 500): Buffer => Buffer.alloc(sizeBytes, createHash('sha256').update(String(number)).digest());
const land = (landing: Landing, number: number, sizeBytes?: number): Promise<LandedRecord> => landing.append(JSON.stringify({ number }), [object(number, sizeBytes)]);
const logKey = (number: number): string => `work/landing/o/log/${String(number).padStart(16, '0')}`;
const numberOf = ({ receipt }: LandedRecord): number => (JSON.parse(receipt.toString()) as { number: number }).number;
const numbersIn = async (landing: Landing): Promise<number[]> => (await allRecords(landing, null, 100)).map(numberOf);

/** Each request takes another number of turns, the same ones at every run. */
class UnevenStore extends MemoryObjectStore {
  /** Once, before or after the object with that key is created. */
  before: { key: string; run: () => Promise<void> } | undefined;
  after: { key: string; run: () => Promise<void> } | undefined;
  /** @param troubleShare of all commits: half of them have stored what they were given */
  constructor(private state: number, public troubleShare = 0) {
    super();
  }
  private random(below: number): number {
    this.state = (this.state * 1103515245 + 12345) % 2147483648;
    return (this.state >> 8) % below;
  }
  private async turns(): Promise<void> {
    for (let turn = this.random(6); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
  }
  override async create(key: string): Promise<ObjectWriter> {
    await this.turns();
    await this.reached('before', key);
    const writer = await super.create(key);
    return { ...writer, commit: async () => {
      await this.turns();
      const fate = this.random(1000);
      if (fate < 500 * this.troubleShare) throw new UnavailableError('Refused.');
      const info = await writer.commit();
      if (fate < 1000 * this.troubleShare) throw new UnavailableError('Stored, and the answer is lost.');
      await this.reached('after', key);
      await this.turns();
      return info;
    } };
  }
  private async reached(when: 'before' | 'after', key: string): Promise<void> {
    const hook = this[when];
    if (hook?.key !== key) return;
    this[when] = undefined;
    await hook.run();
  }
  onHead: (() => Promise<void>) | undefined;
  override async head(key: string): Promise<ObjectInfo | null> {
    await this.onHead?.();
    return super.head(key);
  }
  override async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    await this.turns();
    yield* super.list(prefix, after);
  }
  override async delete(key: string): Promise<void> {
    await this.turns();
    return super.delete(key);
  }
}

class ReadStore extends MemoryObjectStore {
  reads = 0;
  override read(key: string, offset: number, length: number): Promise<Buffer> {
    this.reads += 1;
    return super.read(key, offset, length);
  }
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof UnavailableError)) throw error;
}

describe('A landing area on an object store and its owners', () => {
  it.each([['a store that answers', 0], ['a store that fails, or stores and says that it failed', 0.3]])('given %s, and processes that take the area from each other at any moment and remove what they have filed, then nothing that was acknowledged is lost', async (_store, troubleShare) => {
    let acknowledged = 0;
    let refused = 0;
    let removed = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const store = new UnevenStore(seed, troubleShare);
      const open = async (): Promise<Landing> => {
        for (;;) {
          const landing = await ObjectLanding.open({ store, owner: 'o', segmentBytes: 64 * 1024 }).catch(unlessUnavailable);
          if (landing) return landing;
        }
      };
      const promised: number[] = [];
      const filed = new Set<number>();
      const fileAll = async (landing: Landing): Promise<void> => {
        await landing.seal();
        const records = await allRecords(landing, null, 100);
        for (const each of landing.sealedSegments()) {
          for (const record of records) if (record.place.key === each.key) filed.add(numberOf(record));
          await landing.release(each.generation);
          removed += 1;
        }
      };
      await Promise.all(Array.from({ length: 4 }, async (_, owner) => {
        const landing = await open();
        for (let n = 0; n < 8; n++) {
          const number = owner * 100 + n;
          await land(landing, number).then(() => promised.push(number), (error: unknown) => {
            expect([ConflictError, UnavailableError]).toContain((error as Error).constructor);
            refused += 1;
          });
          if ((seed + owner + n) % 3 === 0) await fileAll(landing).catch((error: unknown) => expect([ConflictError, UnavailableError]).toContain((error as Error).constructor));
        }
      }));
      const found = await numbersIn(await open());
      expect({ seed, lost: promised.filter((number) => !filed.has(number) && !found.includes(number)) }).toEqual({ seed, lost: [] });
      expect(new Set(found).size).toBe(found.length);
      acknowledged += promised.length;
    }
    process.stderr.write(`${acknowledged} acknowledged, ${refused} refused, ${removed} segments removed\n`);
    for (const each of [acknowledged, refused, removed]) expect(each).toBeGreaterThan(200);
  });

  it('given a take-over between the PUT and the answer, then the new owner has the record, and the old one acknowledges nothing more', async () => {
    const store = new UnevenStore(1);
    const first = await ObjectLanding.open({ store, owner: 'o' });
    await land(first, 1);
    let second: Landing | undefined;
    store.after = { key: logKey(3), run: async () => {
      second = await ObjectLanding.open({ store, owner: 'o' });
    } };
    await land(first, 2);
    await expect(land(first, 3)).rejects.toMatchObject({ constructor: ConflictError, message: 'Another process has taken over this landing area.' });
    await expect(land(first, 4)).rejects.toBeInstanceOf(ConflictError);
    expect(await numbersIn(second!)).toEqual([1, 2]);
  });

  it('given an owner that stands still after a PUT without an answer while another files and removes all, when it wakes up, then it acknowledges nothing', async () => {
    const store = new UnevenStore(1);
    const first = await ObjectLanding.open({ store, owner: 'o' });
    store.after = { key: logKey(2), run: () => Promise.reject(new UnavailableError('No answer.')) };
    await expect(land(first, 1)).rejects.toBeInstanceOf(UnavailableError);
    const second = await ObjectLanding.open({ store, owner: 'o' });
    expect(await numbersIn(second)).toEqual([1]);
    for (const { generation } of second.sealedSegments()) await second.release(generation);
    expect(await store.head(logKey(2))).toBeNull();
    await expect(land(first, 2)).rejects.toBeInstanceOf(ConflictError);
    await land(second, 3);
    expect(await numbersIn(second)).toEqual([3]);
    expect(await numbersIn(await ObjectLanding.open({ store, owner: 'o' }))).toEqual([3]);
  });

  it('given one who stands still between looking and taking over while the owner goes on and removes, then it is the owner in the end or not at all', async () => {
    const store = new UnevenStore(1);
    const first = await ObjectLanding.open({ store, owner: 'o' });
    await land(first, 1);
    store.before = { key: logKey(3), run: async () => {
      // Number 3 is used and removed while the other believes that it is free.
      await land(first, 2);
      await first.seal();
      for (const { generation } of first.sealedSegments()) await first.release(generation);
      await land(first, 3);
      expect(await store.head(logKey(3))).toBeNull();
    } };
    const second = await ObjectLanding.open({ store, owner: 'o' });
    await expect(land(first, 4)).rejects.toBeInstanceOf(ConflictError);
    await land(second, 5);
    expect(await numbersIn(second)).toEqual([3, 5]);
  });

  it('given a PUT whose answer is lost, then its records are in the log without having been acknowledged, and the next ones behind them', async () => {
    const store = new UnevenStore(1);
    const landing = await ObjectLanding.open({ store, owner: 'o' });
    await land(landing, 1);
    store.after = { key: logKey(3), run: () => Promise.reject(new UnavailableError('No answer.')) };
    await expect(land(landing, 2)).rejects.toBeInstanceOf(UnavailableError);
    expect(await numbersIn(landing)).toEqual([1]);
    await land(landing, 3);
    expect(await numbersIn(landing)).toEqual([1, 2, 3]);
    expect(await numbersIn(await ObjectLanding.open({ store, owner: 'o' }))).toEqual([1, 2, 3]);
  });

  it('given a PUT whose answer is lost and a store that cannot be read then, when it can, then the records are counted in the segment', async () => {
    const store = new UnevenStore(1);
    const landing = await ObjectLanding.open({ store, owner: 'o' });
    await land(landing, 1);
    store.after = { key: logKey(3), run: () => Promise.reject(new UnavailableError('No answer.')) };
    await expect(land(landing, 2)).rejects.toBeInstanceOf(UnavailableError);
    store.onHead = () => Promise.reject(new UnavailableError('No answer either.'));
    await expect(land(landing, 3)).rejects.toBeInstanceOf(UnavailableError);
    store.onHead = undefined;
    await land(landing, 4);
    await landing.seal();
    expect(landing.sealedSegments()).toMatchObject([{ records: 3 }]);
    expect((await ObjectLanding.open({ store, owner: 'o' })).sealedSegments()).toMatchObject([{ records: 3 }]);
  });

  it('given a PUT that never came to be, then its number is marked, and the mark is removed with the segment', async () => {
    const store = new UnevenStore(1);
    const landing = await ObjectLanding.open({ store, owner: 'o' });
    await land(landing, 1);
    store.before = { key: logKey(3), run: () => Promise.reject(new UnavailableError('No connection.')) };
    await expect(land(landing, 2)).rejects.toBeInstanceOf(UnavailableError);
    await land(landing, 3);
    await landing.seal();
    expect(await numbersIn(landing)).toEqual([1, 3]);
    expect(await numbersIn(await ObjectLanding.adopt({ store, owner: 'o' }))).toEqual([1, 3]);
  });

  it('given a segment that is removed while it ends the log, then a mark follows it, so that its numbers are never used again', async () => {
    const store = new UnevenStore(1);
    const landing = await ObjectLanding.open({ store, owner: 'o' });
    const { position } = await land(landing, 1);
    await landing.seal();
    await landing.release(position.generation);
    expect((await Array.fromAsync(store.list('work/landing/o/log/'))).map(({ key }) => key)).toEqual([logKey(1), logKey(3)]);
    expect((await land(await ObjectLanding.open({ store, owner: 'o' }), 2)).position.generation).toBeGreaterThan(position.generation);
  });

  it('given the area of a dead owner, when it is adopted, then it can be read and released and takes nothing', async () => {
    const store = new MemoryObjectStore();
    const dead = await ObjectLanding.open({ store, owner: 'dead' });
    const landed = await land(dead, 1);
    const adopted = await ObjectLanding.adopt({ store, owner: 'dead' });
    await expect(land(adopted, 2)).rejects.toBeInstanceOf(IllegalStateError);
    expect(await numbersIn(adopted)).toEqual([1]);
    await adopted.release(landed.position.generation);
    expect(adopted.sealedSegments()).toEqual([]);
    expect((await land(await ObjectLanding.open({ store, owner: 'dead' }), 3)).position.generation).toBeGreaterThan(landed.position.generation);
  });

  it('given a group that is not as it was written, then it is corrupt and never another record', async () => {
    const store = new MemoryObjectStore();
    const { place } = await land(await ObjectLanding.open({ store, owner: 'o' }), 1);
    const [, { key, sizeBytes }] = (await Array.fromAsync(store.list('work/landing/o/log'))) as [ObjectInfo, ObjectInfo];
    const bytes = await store.read(key, 0, sizeBytes);
    bytes[place.offset + 3]! ^= 1;
    await store.delete(key);
    const writer = await store.create(key);
    await writer.write(bytes);
    await writer.commit();
    expect(await allRecords(await ObjectLanding.open({ store, owner: 'o' }))).toHaveLength(1);
    bytes[ENTRY_BYTES + 40]! ^= 1;
    await store.delete(key);
    const again = await store.create(key);
    await again.write(bytes);
    await again.commit();
    await expect(allRecords(await ObjectLanding.open({ store, owner: 'o' }))).rejects.toBeInstanceOf(CorruptDataError);
  });

  it('given a long segment of which few groups refer to large objects, when it is opened again, then each is found without reading all heads', async () => {
    const store = new ReadStore();
    const landing = await ObjectLanding.open({ store, owner: 'o' });
    const large = new Set([1, 8, 9, 150, 299]);
    for (let number = 0; number < 300; number++) {
      if (!large.has(number)) await land(landing, number);
      else {
        const stream = await landing.openStream();
        await stream.write(object(number));
        await stream.commit(JSON.stringify({ number }));
      }
    }
    await landing.close();
    store.reads = 0;
    const again = await ObjectLanding.open({ store, owner: 'o' });
    expect(store.reads).toBeGreaterThan(large.size);
    expect(store.reads).toBeLessThan(80);
    // One that was not found would be referred to again, and be there twice.
    expect((await allRecords(again)).map(numberOf)).toEqual(Array.from({ length: 300 }, (_, number) => number));
  });

  it('given an object larger than a segment, then it has to be streamed', async () => {
    const landing = await ObjectLanding.open({ store: new MemoryObjectStore(), owner: 'o', segmentBytes: 1024 });
    await expect(land(landing, 1, 1024)).rejects.toBeInstanceOf(InvalidInputError);
  });

  it('given no free segment, then a large object is refused as well and leaves nothing', async () => {
    const store = new MemoryObjectStore();
    const landing = await ObjectLanding.open({ store, owner: 'o', maxSegments: 1 });
    await land(landing, 1);
    await landing.seal();
    const stream = await landing.openStream();
    await stream.write(object(2));
    await expect(stream.commit('{}')).rejects.toBeInstanceOf(StoreFullError);
    expect(await Array.fromAsync(store.list('work/landing/o/big'))).toEqual([]);
  });
});

const suite = hasOwn('s3') ? describe : describe.skip;
suite('A landing area on S3', () => {
  let server: S3Server;
  let proxy: HttpFaultProxy;
  let bucket: string;
  let owners = 0;
  const opened: S3ObjectStore[] = [];

  beforeAll(async () => {
    server = await S3Server.start();
    proxy = await HttpFaultProxy.start(server.access.endpoint);
    bucket = await server.createBucket();
  }, 600_000);
  afterEach(() => {
    proxy.plan = undefined;
    opened.splice(0).forEach((store) => store.close());
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.remove();
  });

  async function openStore(options: Partial<S3ObjectStoreOptions> = {}): Promise<S3ObjectStore> {
    const store = await S3ObjectStore.open({ ...server.access, endpoint: proxy.endpoint, bucket, retryPauseMs: 4, ...options });
    opened.push(store);
    return store;
  }
  const newOwner = (): string => `owner-${++owners}`;

  it('given 32 senders, then a thousand instances take few requests', async () => {
    const requests = new Map<string, number>();
    const store = await openStore({ onRequest: (operation) => requests.set(operation, (requests.get(operation) ?? 0) + 1) });
    const landing = await ObjectLanding.open({ store, owner: newOwner() });
    requests.clear();
    let next = 0;
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 32 }, async () => {
      while (next < 1000) await land(landing, next++, 4096);
    }));
    process.stderr.write(`1,000 instances of 4 KiB by 32 senders: ${JSON.stringify(Object.fromEntries(requests))}, ${Math.round(performance.now() - startedMs)} ms\n`);
    expect(requests.get('PutObject')).toBeLessThan(70);
    expect(requests.get('HeadObject')).toBeUndefined();
    expect((await numbersIn(landing)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  it('given instances that landed together, when all are read, then their groups are read, not each of them', async () => {
    let reads = 0;
    const store = await openStore({ onRequest: (operation) => void (reads += operation === 'GetObject' ? 1 : 0) });
    const landing = await ObjectLanding.open({ store, owner: newOwner() });
    const small = await Promise.all(Array.from({ length: 100 }, (_, n) => land(landing, n, 9000)));
    const large = await Promise.all(Array.from({ length: 10 }, (_, n) => land(landing, n, 500_000)));
    for (const [landed, sizeBytes, most] of [[small, 9000, 2], [large, 500_000, 4]] as const) {
      const reader = new LandingObjectReader(store);
      reads = 0;
      for (const [n, { place }] of landed.entries()) expect((await reader.read(place, 0, place.length)).equals(object(n, sizeBytes))).toBe(true);
      expect(reads).toBeLessThanOrEqual(most);
    }
  });

  it('given a store in trouble, then what is acknowledged is in the log after a restart, and the area refuses and resumes by itself', async () => {
    const owner = newOwner();
    const store = await openStore({ breakerOpenMs: 10 });
    const landing = await ObjectLanding.open({ store, owner, segmentBytes: 64 * 1024 });
    const acknowledged: number[] = [];
    let refused = 0;
    const some = async (from: number): Promise<void> => {
      await Promise.all(Array.from({ length: 40 }, async (_, n) => land(landing, from + n).then(() => acknowledged.push(from + n), (error: unknown) => {
        expect(error).toBeInstanceOf(UnavailableError);
        refused += 1;
      })));
    };
    await some(0);
    proxy.plan = failingShare(0.5, 5, [{ kind: 'lost-answer' }, { kind: 'status', status: 503, code: 'SlowDown' }, { kind: 'cut', side: 'request', afterBytes: 100 }]);
    for (let from = 100; from < 1100; from += 100) await some(from);
    proxy.plan = () => ({ kind: 'status', status: 500, code: 'InternalError' });
    for (let from = 2000; from < 2300; from += 100) await some(from);
    proxy.plan = undefined;
    const before = acknowledged.length;
    for (let from = 3000; acknowledged.length === before; from += 100) await some(from);
    expect(refused).toBeGreaterThanOrEqual(120);
    const found = await numbersIn(await ObjectLanding.open({ store, owner, segmentBytes: 64 * 1024 }));
    expect(acknowledged.filter((number) => !found.includes(number))).toEqual([]);
    process.stderr.write(`${acknowledged.length} acknowledged, ${refused} refused, ${found.length} in the log\n`);
  });

  it('given kill -9 of the server and a restart, then nothing that was acknowledged is missing', async () => {
    const owner = newOwner();
    const store = await openStore({ endpoint: server.access.endpoint, breakerOpenMs: 10, retryPauseMs: 50 });
    const landing = await ObjectLanding.open({ store, owner });
    const acknowledged: number[] = [];
    let over = false;
    const senders = Promise.all(Array.from({ length: 4 }, async (_, sender) => {
      for (let number = sender * 100_000; !over; number++) await land(landing, number, 20_000).then(() => acknowledged.push(number), () => new Promise((resolve) => setImmediate(resolve)));
    }));
    for (let round = 1; round <= 3; round++) {
      while (acknowledged.length < round * 100) await new Promise((resolve) => setImmediate(resolve));
      await server.kill();
      await server.restart();
    }
    const before = acknowledged.length;
    while (acknowledged.length < before + 20) await new Promise((resolve) => setImmediate(resolve));
    over = true;
    await senders;
    const found = await numbersIn(await ObjectLanding.open({ store, owner }));
    expect(acknowledged.filter((number) => !found.includes(number))).toEqual([]);
  });

  it('gives receipts beside their objects, of small and of large ones', async () => {
    const store = await openStore();
    const landing = await ObjectLanding.open({ store, owner: newOwner() });
    const reader = new LandingObjectReader(store);
    const small = await land(landing, 7);
    const stream = await landing.openStream();
    for (let n = 0; n < 12; n++) await stream.write(object(n, 1024 * 1024));
    const large = await stream.commit('{"number":8}');
    expect([await reader.receipt(small.place), await reader.receipt(large.place)]).toEqual(['{"number":7}', '{"number":8}']);
    expect((await reader.read(large.place, 11 * 1024 * 1024, 1024 * 1024)).equals(object(11, 1024 * 1024))).toBe(true);
  });
});
