// What every Landing keeps to. The harness gives small segments (64 KiB, 4 of them) and at most a short wait when none is free.
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { LANDING_TIER } from '@perennia/contracts';
import { PlaceMovedError, StoreFullError } from '@perennia/errors';
import type { LandedRecord, Landing, LandingPosition, PlaceReader } from '@perennia/storage';

export interface LandingHarness {
  /** Opens the area; after `crash` or a close what it left. One at a time. */
  open(): Promise<Landing>;
  /** Ends the landing as kill -9 would: what is not yet durable may or may not be there afterwards. */
  crash(landing: Landing): Promise<void>;
  reader(): PlaceReader;
  close(): Promise<void>;
}

interface Landed {
  bytes: Buffer;
  receipt: string;
  record: LandedRecord;
}

let objects = 0;
/** An object whose bytes follow from its number, and a receipt with its digest. */
function anObject(sizeBytes: number): { bytes: Buffer; receipt: string } {
  const number = ++objects;
  const bytes = Buffer.alloc(sizeBytes, createHash('sha256').update(String(number)).digest());
  return { bytes, receipt: JSON.stringify({ receiptId: `r-${number}`, datasetSha256: createHash('sha256').update(bytes).digest('hex'), datasetOffset: 0 }) };
}
const cut = (bytes: Buffer, size: number): Buffer[] => Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

export async function allRecords(landing: Landing, after: LandingPosition | null = null, limit = 7): Promise<LandedRecord[]> {
  const found: LandedRecord[] = [];
  for (let position = after; ; ) {
    const page = await landing.recordsAfter(position, limit);
    if (page.length === 0) return found;
    found.push(...page);
    position = page.at(-1)!.position;
  }
}

export function landingContract(name: string, makeHarness: () => Promise<LandingHarness>): void {
  describe(`${name} keeps the contract of Landing`, () => {
    let harness: LandingHarness;
    let landing: Landing;

    beforeEach(async () => {
      harness = await makeHarness();
      landing = await harness.open();
    });
    afterEach(async () => {
      await landing.close();
      await harness.close();
    });

    const land = async (sizeBytes = 1000): Promise<Landed> => {
      const { bytes, receipt } = anObject(sizeBytes);
      return { bytes, receipt, record: await landing.append(receipt, cut(bytes, 300)) };
    };
    const landLarge = async (sizeBytes: number): Promise<Landed> => {
      const { bytes, receipt } = anObject(sizeBytes);
      const stream = await landing.openStream(sizeBytes);
      for (const chunk of cut(bytes, 10_007)) await stream.write(chunk);
      return { bytes, receipt, record: await stream.commit(receipt) };
    };
    const expectReadable = async ({ bytes, record }: Landed): Promise<void> => {
      const reader = harness.reader();
      expect(record.place.tier).toBe(LANDING_TIER);
      expect((await reader.read(record.place, 0, bytes.length)).equals(bytes)).toBe(true);
      expect((await buffer(reader.readStream(record.place, 1, bytes.length - 1))).equals(bytes.subarray(1))).toBe(true);
    };
    const expectLog = async (expected: readonly Landed[]): Promise<void> => {
      expect(await allRecords(landing)).toEqual(expected.map(({ record }) => record));
    };
    const fillSegment = async (): Promise<Landed[]> => Promise.all(Array.from({ length: 3 }, () => land(15_000)));

    it('gives out what was appended, in order, with its receipt and place', async () => {
      const landed = [await land(), await land(1), await land(20_000)];
      await expectLog(landed);
      for (const each of landed) {
        expect(each.record.receipt.toString()).toBe(each.receipt);
        await expectReadable(each);
      }
      expect(await landing.recordsAfter(landed[0]!.record.position, 1)).toEqual([landed[1]!.record]);
      expect(await landing.recordsAfter(landed[2]!.record.position, 5)).toEqual([]);
    });

    it('acknowledges concurrent appends in the order of the log', async () => {
      const acknowledged: string[] = [];
      const landed = await Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          const each = await land(10 + n * 17);
          acknowledged.push(each.record.receipt.toString());
          return each;
        }),
      );
      expect((await allRecords(landing)).map(({ receipt }) => receipt.toString())).toEqual(acknowledged);
      for (const each of landed) await expectReadable(each);
    });

    it('shows no record that is not acknowledged', async () => {
      const pending = Promise.all(Array.from({ length: 10 }, () => land()));
      expect(await landing.recordsAfter(null, 100)).toEqual([]);
      expect(await pending).toHaveLength(10);
      expect(await landing.recordsAfter(null, 100)).toHaveLength(10);
    });

    it('wakes whoever waits for records', async () => {
      const stop = new AbortController();
      expect(await landing.recordsAfter(null, 10)).toEqual([]);
      const woken = landing.whenDurable(stop.signal);
      const { record } = await land();
      await woken;
      await landing.whenDurable(stop.signal); // Not read yet: at once.
      expect(await landing.recordsAfter(null, 10)).toEqual([record]);
      const aborted = landing.whenDurable(stop.signal);
      stop.abort();
      await aborted;
    });

    it('wakes who was given a part of what is there', async () => {
      await land();
      await land();
      expect(await landing.recordsAfter(null, 1)).toHaveLength(1);
      await landing.whenDurable(new AbortController().signal);
    });

    it('streams a large object into the log', async () => {
      const landed = [await land(), await landLarge(3_000_001), await land()];
      await expectLog(landed);
      for (const each of landed) await expectReadable(each);
    });

    it('leaves nothing of an aborted stream', async () => {
      const stream = await landing.openStream();
      await stream.write(Buffer.alloc(2_000_000));
      await stream.abort();
      await stream.abort();
      await expect(stream.write(Buffer.alloc(1))).rejects.toThrow();
      await expectLog([]);
      expect(landing.state().heldBytes).toBe(0);
    });

    it('seals, counts and releases', async () => {
      expect(landing.sealedSegments()).toEqual([]);
      await landing.seal();
      expect(landing.sealedSegments()).toEqual([]);
      const landed = [await land(), await land()];
      const large = await landLarge(100_000);
      await landing.seal();
      const later = await land();
      const sealed = landing.sealedSegments();
      expect(sealed.map(({ records }) => records).toSorted()).toEqual([1, 2]);
      // A large object stands in a file of its own; its record is the last one in the segment of the others.
      expect(large.record.position.generation).toBe(landed[0]!.record.position.generation);
      for (const { record } of [...landed, large]) expect(sealed.find(({ key }) => key === record.place.key)?.lastRecord).toEqual(large.record.position);
      const ordinary = sealed.find(({ records }) => records === 2)!;
      await landing.release(ordinary.generation);
      await landing.release(ordinary.generation);
      await expectLog([later]);
      await expectReadable(large);
      await expect(landing.release(later.record.position.generation)).rejects.toThrow();
    });

    it('keeps everything over a restart, and goes on behind it', async () => {
      const landed = [await land(), await landLarge(70_000), ...(await fillSegment()), ...(await fillSegment())];
      await landing.close();
      landing = await harness.open();
      const records = await allRecords(landing);
      expect(records).toEqual(landed.map(({ record }) => record).toSorted((a, b) => a.position.generation - b.position.generation || a.position.offset - b.position.offset));
      const later = await land();
      expect(await landing.recordsAfter(records.at(-1)!.position, 10)).toEqual([later.record]);
      for (const each of [...landed, later]) await expectReadable(each);
      const sealed = landing.sealedSegments();
      expect(sealed.reduce((sum, segment) => sum + segment.records, 0)).toBe(landed.length);
      for (const { key, lastRecord } of sealed) {
        expect(lastRecord).toEqual(records.findLast(({ place, position }) => place.key === key || key.endsWith(`@${position.generation}`))?.position);
      }
    });

    it('does not bring back what was released', async () => {
      const landed = await land();
      const large = await landLarge(70_000);
      await landing.seal();
      for (const { generation } of landing.sealedSegments()) await landing.release(generation);
      await landing.close();
      landing = await harness.open();
      await expectLog([]);
      expect(landing.sealedSegments()).toEqual([]);
      for (let n = 0; n < 6; n += 1) {
        await land(40_000);
        await landing.seal();
        for (const { generation } of landing.sealedSegments()) await landing.release(generation);
      }
      for (const { record } of [landed, large]) await expect(harness.reader().read(record.place, 0, 10)).rejects.toBeInstanceOf(PlaceMovedError);
    });

    it('puts a large object into the log again when only its segment was released before a restart', async () => {
      const large = await landLarge(70_000);
      await landing.seal();
      await landing.release(large.record.position.generation);
      await expectLog([]);
      await landing.close();
      landing = await harness.open();
      await landing.whenDurable(new AbortController().signal);
      const [again] = await allRecords(landing);
      expect(again).toMatchObject({ receipt: Buffer.from(large.receipt), place: large.record.place });
    });

    it('refuses when full, keeps what it has, and goes on after a release', async () => {
      const kept: Landed[] = [];
      const fill = async (): Promise<void> => {
        for (let n = 0; n < 100; n += 1) kept.push(await land(15_000));
      };
      await expect(fill()).rejects.toBeInstanceOf(StoreFullError);
      await expect(Promise.all([land(15_000), land(15_000)])).rejects.toBeInstanceOf(StoreFullError);
      expect(landing.state().freeSegments).toBe(0);
      await expectLog(kept);
      const [oldest] = landing.sealedSegments();
      await landing.release(oldest!.generation);
      const before = kept.filter(({ record }) => record.position.generation !== oldest!.generation);
      let later: Landed | undefined;
      // The released segment comes back after its grace; until then appends are refused at once.
      while (!later) {
        later = await land(15_000).catch(() => undefined);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await expectLog([...before, later]);
      for (const each of [...before, later]) await expectReadable(each);
    });

    it('never gives a reader wrong bytes while segments are recycled', async () => {
      const reader = harness.reader();
      let moved = 0;
      let right = 0;
      let done = false;
      const newest: Landed[] = [];
      const read = async (): Promise<void> => {
        while (!done) {
          const each = newest[Math.floor(newest.length / 2)];
          if (each) {
            const bytes = await reader.read(each.record.place, 0, each.bytes.length).catch((error: unknown) => {
              expect(error).toBeInstanceOf(PlaceMovedError);
              moved += 1;
            });
            if (bytes) {
              expect(bytes.equals(each.bytes)).toBe(true);
              right += 1;
            }
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const readers = [read(), read(), read()];
      for (let n = 0; n < 150; n += 1) {
        const each = await land(9000).catch(() => undefined);
        if (each) newest.push(each);
        if (newest.length > 20) newest.shift();
        for (const { generation } of landing.sealedSegments()) await landing.release(generation);
      }
      done = true;
      await Promise.all(readers);
      expect(right).toBeGreaterThan(0);
      expect(right + moved).toBeGreaterThan(20);
    });

    it('agrees with a model over random histories', async () => {
      const step = fc.oneof(
        { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), sizes: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 4 }) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('stream' as const), size: fc.integer({ min: 1, max: 150_000 }), commit: fc.boolean() }) },
        { weight: 2, arbitrary: fc.constantFrom({ kind: 'seal' as const }, { kind: 'close' as const }, { kind: 'crash' as const }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat(5) }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (history) => {
          await landing.close();
          await harness.close();
          harness = await makeHarness();
          landing = await harness.open();
          const held = new Map<string, Landed>();
          for (const action of history) {
            const add = (each: Landed | undefined): void => void (each && held.set(each.receipt, each));
            if (action.kind === 'append') {
              for (const each of await Promise.allSettled(action.sizes.map((size) => land(size)))) add(each.status === 'fulfilled' ? each.value : undefined);
            } else if (action.kind === 'stream') {
              if (action.commit) add(await landLarge(action.size).catch(() => undefined));
              else await (await landing.openStream()).abort();
            } else if (action.kind === 'seal') await landing.seal();
            else if (action.kind === 'release') {
              const sealed = landing.sealedSegments();
              const chosen = sealed[action.which % sealed.length];
              if (!chosen) continue;
              await landing.release(chosen.generation);
              for (const [receipt, { record }] of held) if (record.place.key === chosen.key) held.delete(receipt);
            } else {
              await (action.kind === 'close' ? landing.close() : harness.crash(landing));
              landing = await harness.open();
            }
          }
          const reader = harness.reader();
          for (const { bytes, record } of held.values()) expect((await reader.read(record.place, 0, bytes.length)).equals(bytes)).toBe(true);
          // Ordinary objects are in the log exactly once; a large one may have lost its reference until the next start.
          const listed = (await allRecords(landing)).map(({ receipt }) => receipt.toString());
          expect(new Set(listed).size).toBe(listed.length);
          for (const receipt of listed) expect(held.has(receipt)).toBe(true);
          const ordinary = [...held.values()].filter(({ record }) => record.place.key.includes('/seg')).map(({ receipt }) => receipt);
          expect(listed.filter((receipt) => ordinary.includes(receipt)).toSorted()).toEqual(ordinary.toSorted());
        }),
        { numRuns: 25, seed: 20_261_122 },
      );
    });
  });
}
