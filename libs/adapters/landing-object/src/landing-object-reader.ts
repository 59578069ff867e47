// Reads the places of landing areas on an object store, of any owner and from any process. Small objects are read with their whole group, of
// which the last ones are remembered: who files a study reads one object of the store for each group, not for each instance.
import { Readable } from 'node:stream';
import type { Place } from '@perennia/contracts';
import { NotFoundError, PlaceMovedError } from '@perennia/errors';
import { assertInside, decodeHead, HEAD_BYTES, PlaceReader, RecentObjects, type ObjectStore } from '@perennia/storage';
import { numberAt, parsePlaceKey } from './landing-keys.js';
import { readLargeReceipt } from './large-object.js';

/**
 * Larger ones are read by themselves at first: a group may have one object of each of many studies, and all of it would be read for each of
 * them. Who asks for a second one of a group, while so few others were asked for, reads what came together together.
 */
const SMALL_BYTES = 64 * 1024;
const GROUPS_WATCHED = 4;

export class LandingObjectReader extends PlaceReader {
  private readonly groups: RecentObjects;
  /** Groups of which a large object was read last, and where it began. */
  private readonly watched = new Map<string, number>();

  constructor(private readonly store: ObjectStore) {
    super();
    this.groups = new RecentObjects(store);
  }

  async read(place: Place, offset: number, length: number, into?: Buffer): Promise<Buffer> {
    assertInside(place, offset, length);
    const { key, at } = find(place);
    return orMoved(place, async () => {
      const bytes = await this.fromGroup(place, offset, length);
      // The caller's own: what is remembered stays as it is.
      if (!bytes) return this.store.read(key, at + offset, length, into ? { into } : {});
      if (!into || into.length < length) return Buffer.from(bytes);
      bytes.copy(into);
      return into.subarray(0, length);
    });
  }

  readStream(place: Place, offset: number, length: number): Readable {
    return Readable.from(this.pieces(place, offset, length), { objectMode: false });
  }

  override receipt(place: Place): Promise<string> {
    return orMoved(place, async () => {
      const { keys, kind, generation } = parsePlaceKey(place.key);
      if (kind === 'big') return (await readLargeReceipt(this.store, keys.large(generation))).receipt.toString();
      const { key, at } = find(place);
      const head = decodeHead(await this.store.read(key, at - HEAD_BYTES, HEAD_BYTES));
      if (!head) throw moved(place);
      return (await this.store.read(key, at + head.objectBytes, head.receiptBytes)).toString();
    });
  }

  private async *pieces(place: Place, offset: number, length: number): AsyncGenerator<Buffer> {
    assertInside(place, offset, length);
    const { key, at } = find(place);
    const bytes = await orMoved(place, () => this.fromGroup(place, offset, length));
    if (bytes) return yield Buffer.from(bytes);
    const chunks = this.store.readStream(key, at + offset, length)[Symbol.asyncIterator]();
    try {
      for (let step = await orMoved(place, () => chunks.next()); !step.done; step = await orMoved(place, () => chunks.next())) yield step.value as Buffer;
    } finally {
      await chunks.return?.();
    }
  }

  private async fromGroup(place: Place, offset: number, length: number): Promise<Buffer | undefined> {
    const { key, at, isGroup } = find(place);
    if (!isGroup || length === 0 || (place.length > SMALL_BYTES && !this.isSecond(key, at))) return undefined;
    const group = await this.groups.get(key);
    return at + place.length <= group.length ? group.subarray(at + offset, at + offset + length) : undefined;
  }

  private isSecond(key: string, at: number): boolean {
    const first = this.watched.get(key);
    this.watched.delete(key);
    this.watched.set(key, first ?? at);
    if (this.watched.size > GROUPS_WATCHED) this.watched.delete(this.watched.keys().next().value!);
    return first !== undefined && first !== at;
  }
}

/** The object that has the place, and where in it the place begins. */
function find(place: Place): { key: string; at: number; isGroup: boolean } {
  const { keys, kind, generation } = parsePlaceKey(place.key);
  if (kind === 'big') return { key: keys.large(generation), at: place.offset, isGroup: false };
  const { number, at } = numberAt(generation, place.offset);
  return { key: keys.log(number), at, isGroup: true };
}

async function orMoved<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof NotFoundError ? moved(place, error) : error;
  }
}

function moved(place: Place, cause?: unknown): PlaceMovedError {
  return new PlaceMovedError('The landing segment was released.', { cause, details: { key: place.key } });
}
