// For who reads something of every object of a series: small objects stand together in a pack, and where each read is a request over a
// network the pack is read once instead.
import type { Readable } from 'node:stream';
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { PlaceReader } from './place-reader.js';
import { RecentObjects } from './recent-objects.js';
import type { StorageTiers } from './storage-tiers.js';

const SMALL_BYTES = 64 * 1024;

export class TogetherReader extends PlaceReader {
  private readonly packs = new Map<string, RecentObjects>();

  constructor(
    private readonly places: PlaceReader,
    private readonly tiers: StorageTiers,
  ) {
    super();
  }

  async read(place: Place, offset: number, length: number, into?: Buffer): Promise<Buffer> {
    const pack = await this.packsOf(place)?.get(place.key);
    // A pack may be larger than what is remembered of it.
    if (!pack || place.offset + place.length > pack.length || offset + length > place.length) return this.places.read(place, offset, length, into);
    return Buffer.from(pack.subarray(place.offset + offset, place.offset + offset + length));
  }

  readStream(place: Place, offset: number, length: number): Readable {
    return this.places.readStream(place, offset, length);
  }

  override chunks(place: Place, offset: number, length: number): AsyncIterable<Buffer> {
    return this.places.chunks(place, offset, length);
  }

  override receipt(place: Place): Promise<string> {
    return this.places.receipt(place);
  }

  private packsOf({ tier, length }: Place): RecentObjects | undefined {
    if (tier === LANDING_TIER || length > SMALL_BYTES || !this.tiers.storeOf(tier).isRemote) return undefined;
    const known = this.packs.get(tier) ?? new RecentObjects(this.tiers.storeOf(tier));
    this.packs.set(tier, known);
    return known;
  }
}
