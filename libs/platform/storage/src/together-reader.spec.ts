import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { HOT_TIER, type Place } from '@perennia/contracts';
import { MemoryObjectStore } from '@perennia/testing';
import type { ReadOptions } from './object-store.js';
import { packKey } from './object-key.js';
import { PlaceReader } from './place-reader.js';
import { StorageTiers } from './storage-tiers.js';
import { TieredPlaceReader } from './tiered-place-reader.js';
import { TogetherReader } from './together-reader.js';

class CountingStore extends MemoryObjectStore {
  reads = 0;
  constructor(override readonly isRemote: boolean) {
    super();
  }
  override read(key: string, offset: number, length: number, options?: ReadOptions): Promise<Buffer> {
    this.reads += 1;
    return super.read(key, offset, length, options);
  }
}

/** Nothing is in the landing area here. */
class NoPlaces extends PlaceReader {
  read = (): Promise<Buffer> => Promise.reject(new Error('Nothing landed.'));
  readStream = (): Readable => Readable.from([]);
}

async function aPack(store: MemoryObjectStore, objects: number, sizeBytes: number): Promise<{ places: Place[]; bytes: Buffer }> {
  const key = packKey('default', '1.2.3', 'pack');
  const bytes = Buffer.from(Array.from({ length: objects * sizeBytes }, (_, at) => at % 251));
  const writer = await store.create(key);
  await writer.write(bytes);
  await writer.commit();
  return { bytes, places: Array.from({ length: objects }, (_, n) => ({ tier: HOT_TIER, key, offset: n * sizeBytes, length: sizeBytes })) };
}

describe('Reading something of every object of a pack', () => {
  it.each([
    ['a network', 'small', true, 10_000, 1],
    ['a network', 'large', true, 100_000, 20],
    ['no network', 'small', false, 10_000, 20],
  ])('given a store over %s and %s objects, then each has its bytes and the pack is read as often as it pays', async (_network, _size, isRemote, sizeBytes, expected) => {
    const store = new CountingStore(isRemote);
    const { places, bytes } = await aPack(store, 20, sizeBytes);
    const tiers = StorageTiers.single(HOT_TIER, store);
    const reader = new TogetherReader(new TieredPlaceReader(new NoPlaces(), tiers), tiers);
    const found = await Promise.all(places.map((place) => reader.read(place, 100, 500)));
    for (const [n, each] of found.entries()) expect(each.equals(bytes.subarray(n * sizeBytes + 100, n * sizeBytes + 600))).toBe(true);
    expect(store.reads).toBe(expected);
  });
});
