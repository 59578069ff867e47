// Routes each read to the tier where the place is: the landing area, or the object store of a tier.
import type { Readable } from 'node:stream';
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { InvalidInputError } from '@perennia/errors';
import { PlaceReader } from './place-reader.js';
import type { StorageTiers } from './storage-tiers.js';

export class TieredPlaceReader extends PlaceReader {
  constructor(
    private readonly landing: PlaceReader,
    private readonly tiers: StorageTiers,
  ) {
    super();
  }

  read(place: Place, offset: number, length: number, into?: Buffer): Promise<Buffer> {
    assertInside(place, offset, length);
    if (place.tier === LANDING_TIER) return this.landing.read(place, offset, length, into);
    return this.tiers.storeOf(place.tier).read(place.key, place.offset + offset, length, into && { into });
  }

  readStream(place: Place, offset: number, length: number): Readable {
    assertInside(place, offset, length);
    if (place.tier === LANDING_TIER) return this.landing.readStream(place, offset, length);
    return this.tiers.storeOf(place.tier).readStream(place.key, place.offset + offset, length);
  }

  override chunks(place: Place, offset: number, length: number): AsyncIterable<Buffer> {
    assertInside(place, offset, length);
    if (place.tier === LANDING_TIER) return this.landing.chunks(place, offset, length);
    return this.tiers.storeOf(place.tier).chunks(place.key, place.offset + offset, length, { uncached: true });
  }

  override receipt(place: Place): Promise<string> {
    return place.tier === LANDING_TIER ? this.landing.receipt(place) : super.receipt(place);
  }
}

/** @throws InvalidInputError when the range does not lie inside the object at `place` */
export function assertInside(place: Place, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= place.length) return;
  throw new InvalidInputError('The range does not lie inside the object.', { details: { offset, length, objectBytes: place.length } });
}
