import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { InvalidInputError, NotFoundError } from '@perennia/errors';
import { MemoryObjectStore } from '@perennia/testing';
import { PlaceReader } from './place-reader.js';
import { StorageTiers } from './storage-tiers.js';
import { TieredPlaceReader } from './tiered-place-reader.js';
import { workKey } from './object-key.js';

const placeIn = (tier: string): Place => ({ tier, key: workKey('a'), offset: 2, length: 5 });

class EchoReader extends PlaceReader {
  async read(place: Place, offset: number, length: number): Promise<Buffer> {
    return Buffer.from(`${place.key} ${offset} ${length}`);
  }
  readStream(place: Place, offset: number, length: number): Readable {
    return Readable.from([Buffer.from(`${place.key} ${offset} ${length}`)]);
  }
}

describe('A tiered reader', () => {
  const store = new MemoryObjectStore();
  const reader = new TieredPlaceReader(new EchoReader(), StorageTiers.single('hot', store));

  it('reads each place in its tier, relative to the object', async () => {
    const writer = await store.create(workKey('a'));
    await writer.write(Buffer.from('0123456789'));
    await writer.commit();
    expect((await reader.read(placeIn('hot'), 1, 4)).toString()).toBe('3456');
    expect((await buffer(reader.readStream(placeIn('hot'), 0, 5))).toString()).toBe('23456');
    expect((await reader.read(placeIn(LANDING_TIER), 1, 4)).toString()).toBe('work/a 1 4');
    expect((await buffer(reader.readStream(placeIn(LANDING_TIER), 0, 5))).toString()).toBe('work/a 0 5');
  });

  it('refuses ranges outside the object and tiers that are not there', () => {
    for (const [offset, length] of [[-1, 1], [0, 6], [5, 1], [0, -1]] as const) {
      expect(() => reader.read(placeIn('hot'), offset, length)).toThrow(InvalidInputError);
      expect(() => reader.readStream(placeIn('hot'), offset, length)).toThrow(InvalidInputError);
    }
    expect(() => reader.read(placeIn('cold'), 0, 1)).toThrow(NotFoundError);
  });
});
