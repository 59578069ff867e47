// What every ObjectStore keeps to: objects appear whole or not at all, are never overwritten, and are read back by ranges.
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bucketOf } from '@perennia/contracts';
import { AlreadyExistsError, CancelledError, CorruptDataError, InvalidInputError, NotFoundError } from '@perennia/errors';
import {
  PackWriter, bucketName, packKey, packedReceipt, readPackIndex, verifyPack, verifyWrittenPack, workKey, type ObjectInfo, type ObjectStore,
} from '@perennia/storage';
import { part10 } from '../builders/part10.js';
import { receipt } from '../builders/receipt.js';

export interface ObjectStoreHarness {
  store: ObjectStore;
  /** Whether a key may go on below another one that is an object (`a` and `a/b`); the archive has no such keys. Default true. */
  keysBelowKeys?: boolean;
  close(): Promise<void>;
}

let keys = 0;
// Looked up once: in the runner's context a look at a global for each byte takes most of the suite's time.
const { imul } = Math;
const newKey = (): string => workKey('contract', `object-${++keys}`);
/** Bytes that follow from a seed. */
const bytesOf = (length: number, seed = 1): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0, value = seed; at < length; at += 1) {
    value = (imul(value, 1103515245) + 12345) >>> 0;
    bytes[at] = value >>> 16;
  }
  return bytes;
};

export function objectStoreContract(name: string, makeHarness: () => Promise<ObjectStoreHarness>): void {
  describe(`${name} keeps the contract of ObjectStore`, () => {
    let harness: ObjectStoreHarness;
    let store: ObjectStore;

    beforeAll(async () => {
      harness = await makeHarness();
      ({ store } = harness);
    });
    afterAll(() => harness.close());

    const put = async (key: string, ...chunks: Uint8Array[]): Promise<ObjectInfo> => {
      const writer = await store.create(key);
      for (const chunk of chunks) await writer.write(chunk);
      return writer.commit();
    };
    const keysOf = async (prefix: string, after?: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of store.list(prefix, after)) found.push(key);
      return found;
    };

    it('lists from a key on, whether that is there or not', async () => {
      const three = ['a', 'b', 'c'].map((each) => workKey('after', each));
      for (const key of three) await put(key, Buffer.from('x'));
      const after = (key: string): Promise<string[]> => keysOf('work/after/', key);
      expect(await after(three[0]!)).toEqual(three.slice(1));
      expect(await after('work/after/bb')).toEqual(three.slice(2));
      expect(await after(three[2]!)).toEqual([]);
    });

    it.each([0, 1, 4095, 4096, 4097, 65_536, 1024 * 1024, 3 * 1024 * 1024 + 17])('gives back an object of %d bytes', async (length) => {
      const key = newKey();
      const bytes = bytesOf(length);
      expect(await put(key, bytes.subarray(0, length >> 1), bytes.subarray(length >> 1))).toEqual({ key, sizeBytes: length });
      expect(await store.head(key)).toEqual({ key, sizeBytes: length });
      expect((await store.read(key, 0, length)).equals(bytes)).toBe(true);
      expect((await store.read(key, 0, length, { uncached: true })).equals(bytes)).toBe(true);
      expect((await buffer(store.readStream(key, 0, length))).equals(bytes)).toBe(true);
    });

    it('reads any range, cached and from the device', async () => {
      const key = newKey();
      const bytes = bytesOf(2 * 1024 * 1024 + 333, 7);
      await put(key, bytes);
      for (const [offset, length] of [[0, 1], [1, 4096], [4095, 2], [4096, 4096], [1_048_575, 3], [100_001, 1_500_000], [bytes.length - 1, 1], [5, 0], [bytes.length, 0]] as const) {
        const expected = bytes.subarray(offset, offset + length);
        for (const uncached of [false, true]) {
          expect((await store.read(key, offset, length, { uncached })).equals(expected)).toBe(true);
          expect((await buffer(store.readStream(key, offset, length, { uncached }))).equals(expected)).toBe(true);
        }
      }
    });

    it('reads an object whose size nobody told, or so much of its beginning', async () => {
      const key = newKey();
      const bytes = bytesOf(300_000, 3);
      await put(key, bytes);
      for (const most of [300_000, 300_001, 8 * 1024 * 1024]) expect((await store.readUpTo(key, most)).equals(bytes)).toBe(true);
      expect((await store.readUpTo(key, 100_001)).equals(bytes.subarray(0, 100_001))).toBe(true);
      await expect(store.readUpTo(newKey(), 10)).rejects.toBeInstanceOf(NotFoundError);
    });

    it('lends its chunks one at a time, and reads into given memory, without mixing up what it gave before', async () => {
      const key = newKey();
      const bytes = bytesOf(6 * 1024 * 1024 + 333, 9);
      await put(key, bytes);
      for (const uncached of [false, true]) {
        const lent: Buffer[] = [];
        for await (const chunk of store.chunks(key, 77, bytes.length - 80, { uncached })) lent.push(Buffer.from(chunk));
        expect(Buffer.concat(lent).equals(bytes.subarray(77, bytes.length - 3))).toBe(true);
        for await (const chunk of store.chunks(key, 0, bytes.length, { uncached })) {
          expect(chunk.equals(bytes.subarray(0, chunk.length))).toBe(true);
          break;
        }
      }
      const into = Buffer.alloc(1024 * 1024);
      for (const length of [1024 * 1024, bytes.length]) expect((await store.read(key, 0, length, { into })).equals(bytes.subarray(0, length))).toBe(true);
    });

    it('lets the caller re-use a chunk that was taken', async () => {
      const key = newKey();
      const writer = await store.create(key);
      const chunk = Buffer.alloc(100_000);
      for (let value = 1; value <= 30; value += 1) await writer.write(chunk.fill(value));
      await writer.commit();
      const read = await store.read(key, 0, 3_000_000);
      expect(read.every((value, at) => value === Math.floor(at / 100_000) + 1)).toBe(true);
    });

    it('shows nothing before commit, and nothing after abort', async () => {
      const key = newKey();
      const writer = await store.create(key);
      await writer.write(bytesOf(5000));
      expect(await store.head(key)).toBeNull();
      expect(await keysOf(key)).toEqual([]);
      await writer.abort();
      await writer.abort();
      expect(await store.head(key)).toBeNull();
      expect(await keysOf(key)).toEqual([]);
      await expect(writer.write(bytesOf(1))).rejects.toThrow();
    });

    it('never overwrites: of many concurrent writers of one key exactly one wins', async () => {
      const key = newKey();
      const writers = await Promise.all(Array.from({ length: 20 }, () => store.create(key)));
      await Promise.all(writers.map((writer, at) => writer.write(Buffer.alloc(10_000, at))));
      const outcomes = await Promise.allSettled(writers.map((writer) => writer.commit()));
      const won = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
      expect(won).toHaveLength(1);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(AlreadyExistsError);
      expect((await store.read(key, 0, 10_000)).equals(Buffer.alloc(10_000, won[0]))).toBe(true);
      await expect(put(key, bytesOf(1))).rejects.toBeInstanceOf(AlreadyExistsError);
    });

    it('takes many objects at once', async () => {
      const many = Array.from({ length: 60 }, (_, at) => ({ key: newKey(), bytes: bytesOf(30_000 + at * 997, at + 1) }));
      const writers = await Promise.all(many.map(({ key }) => store.create(key)));
      for (const half of [0, 1]) {
        await Promise.all(many.map(({ bytes }, at) => writers[at]!.write(half === 0 ? bytes.subarray(0, 20_000) : bytes.subarray(20_000))));
      }
      await Promise.all(writers.map((writer) => writer.commit()));
      for (const { key, bytes } of many) expect((await store.read(key, 0, bytes.length)).equals(bytes)).toBe(true);
    });

    it('says what is not there and what cannot be', async () => {
      const key = newKey();
      await expect(store.read(key, 0, 1)).rejects.toBeInstanceOf(NotFoundError);
      await expect(buffer(store.readStream(key, 0, 1))).rejects.toBeInstanceOf(NotFoundError);
      await put(key, bytesOf(10));
      await expect(store.read(key, 5, 6)).rejects.toBeInstanceOf(InvalidInputError);
      await expect(store.read(key, -1, 2)).rejects.toBeInstanceOf(InvalidInputError);
      await expect(buffer(store.readStream(key, 11, 1))).rejects.toBeInstanceOf(InvalidInputError);
      await expect(store.read(key, 0, 10, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(CancelledError);
    });

    it('removes, also what is not there', async () => {
      const key = newKey();
      await put(key, bytesOf(10));
      await store.delete(key);
      await store.delete(key);
      expect(await store.head(key)).toBeNull();
      await expect(store.read(key, 0, 1)).rejects.toBeInstanceOf(NotFoundError);
      await put(key, bytesOf(3));
    });

    it('removes many at once, also some that are not there, and no others', async () => {
      const made = Array.from({ length: 5 }, () => newKey());
      for (const key of made) await put(key, bytesOf(10));
      const [kept, ...removed] = made as [string, ...string[]];
      await store.deleteAll([...removed, newKey()]);
      await store.deleteAll([]);
      for (const key of removed) expect(await store.head(key)).toBeNull();
      expect(await store.head(kept)).not.toBeNull();
    });

    it('lists keys below a prefix in ascending order of bytes', async () => {
      const made: string[] = [];
      for (const study of ['1.2.3', '1.2.4', '1.2.5']) {
        for (const pack of ['b-1', 'a-2', 'A-3']) made.push(packKey('list', study, pack));
      }
      const areas = ['x/b', 'x/a.c', 'x/a', 'x/a-b', 'x/a/b', 'y'].filter((area) => area !== 'x/a' || harness.keysBelowKeys !== false);
      for (const area of areas) made.push(workKey('list', ...area.split('/')));
      for (const key of made) await put(key, bytesOf(3));
      const sorted = made.toSorted();
      expect((await keysOf('')).filter((key) => made.includes(key))).toEqual(sorted);
      expect(await keysOf('work/list/x/a')).toEqual(sorted.filter((key) => key.startsWith('work/list/x/a')));
      const bucket = bucketName(bucketOf('list', '1.2.3'));
      expect((await keysOf(`data/${bucket}/list/`)).length).toBe(3);
      expect(await keysOf('nothing')).toEqual([]);
    });

    it.each([
      '', '/', 'data', 'work', 'work/', 'data/000', 'data/400/a', 'data/00G/a', 'work/../a', 'work/a/../../b', '../work/a', '/data/000/a', 'work//a', 'work/.a',
      'work/a\0b', 'work/a b', 'work/ä', 'work/a\\b', 'work/a~b', 'work/%2e%2e', 'other/a', `work/${'a'.repeat(250)}`, 'work/a\n', 'WORK/a', 'work/-a',
    ])('refuses the hostile key %j everywhere', async (key) => {
      await expect(store.create(key)).rejects.toBeInstanceOf(InvalidInputError);
      await expect(store.read(key, 0, 1)).rejects.toBeInstanceOf(InvalidInputError);
      await expect(store.head(key)).rejects.toBeInstanceOf(InvalidInputError);
      await expect(store.delete(key)).rejects.toBeInstanceOf(InvalidInputError);
    });

    it('tells its capacity, or that it has no limit', async () => {
      const capacity = await store.capacity();
      if (capacity === null) return;
      expect(capacity.totalBytes).toBeGreaterThan(0);
      expect(capacity.freeBytes).toBeLessThanOrEqual(capacity.totalBytes);
    });

    it('keeps a pack that verifies', async () => {
      const key = packKey('default', '1.2.840.1', 'pack-1');
      const pack = new PackWriter(await store.create(key));
      const objects = Array.from({ length: 5 }, (_, n) => part10({ instanceNumber: n, pixelBytes: 1000 * n + 2 }));
      const receipts = objects.map((object) => receipt({}, object));
      for (const [at, { bytes }] of objects.entries()) await pack.add(packedReceipt(receipts[at]!), [bytes.subarray(0, 100), bytes.subarray(100)]);
      const written = await pack.commit();
      await verifyWrittenPack(store, written);
      expect(await verifyPack(store, key)).toEqual(written.entries.map((entry, at) => ({ ...entry, receipt: receipts[at] })));
      const entries = await readPackIndex(store, key);
      expect(entries.map((entry) => entry.objectSha256)).toEqual(objects.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex')));
      for (const [at, { offset, length }] of entries.entries()) expect((await store.read(key, offset, length)).equals(objects[at]!.bytes)).toBe(true);
    });

    it('finds in a written pack what is not what was received', async () => {
      const object = part10({ pixelBytes: 5000 });
      const wrong = Buffer.from(object.bytes);
      wrong[wrong.length - 1]! ^= 1;
      const pack = new PackWriter(await store.create(packKey('default', '1.2.840.1', 'pack-2')));
      const received = receipt({}, object);
      await pack.add(packedReceipt(received), [wrong]);
      const written = await pack.commit();
      const failure = await verifyWrittenPack(store, written).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(CorruptDataError);
      expect((failure as CorruptDataError).details['damaged']).toEqual([received.receiptId]);
    });
  });
}
