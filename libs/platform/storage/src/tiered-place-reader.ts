// Routes each read to the tier where the place is: the landing area, or the object store of a tier.
import type { Readable } from 'node:stream';
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { InvalidInputError, NotFoundError } from '@perennia/errors';
import type { ObjectStore } from './object-store.js';
import { PlaceReader } from './place-reader.js';

export class TieredPlaceReader extends PlaceReader {
  /** @param stores by name of tier */
  constructor(
    private readonly landing: PlaceReader,
    private readonly stores: ReadonlyMap<string, ObjectStore>,
  ) {
    super();
  }

  read(place: Place, offset: number, length: number, into?: Buffer): Promise<Buffer> {
    assertInside(place, offset, length);
    if (place.tier === LANDING_TIER) return this.landing.read(place, offset, length, into);
    return this.storeOf(place).read(place.key, place.offset + offset, length, into && { into });
  }

  readStream(place: Place, offset: number, length: number): Readable {
    assertInside(place, offset, length);
    if (place.tier === LANDING_TIER) return this.landing.readStream(place, offset, length);
    return this.storeOf(place).readStream(place.key, place.offset + offset, length);
  }

  override chunks(place: Place, offset: number, length: number): AsyncIterable<Buffer> {
    assertInside(place, offset, length);
    if (place.tier === LANDING_TIER) return this.landing.chunks(place, offset, length);
    return this.storeOf(place).chunks(place.key, place.offset + offset, length, { uncached: true });
  }

  override receipt(place: Place): Promise<string> {
    return place.tier === LANDING_TIER ? this.landing.receipt(place) : super.receipt(place);
  }

  private storeOf(place: Place): ObjectStore {
    const store = this.stores.get(place.tier);
    if (!store) {
      throw new NotFoundError(`There is no storage tier named ${place.tier}.`, { remedy: 'Add the tier to the configuration again.' });
    }
    return store;
  }
}

/** @throws InvalidInputError when the range does not lie inside the object at `place` */
export function assertInside(place: Place, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= place.length) return;
  throw new InvalidInputError('The range does not lie inside the object.', { details: { offset, length, objectBytes: place.length } });
}
