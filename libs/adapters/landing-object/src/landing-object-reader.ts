// Reads the places of landing areas on an object store, of any owner and from any process. Which object has a byte of a segment is learnt
// from one listing of it, which stays true: segments grow, and go as a whole.
import { Readable } from 'node:stream';
import type { Place } from '@perennia/contracts';
import { NotFoundError, PlaceMovedError } from '@perennia/errors';
import { assertInside, decodeHead, HEAD_BYTES, PlaceReader, type ObjectStore } from '@perennia/storage';
import { parsePlaceKey } from './landing-keys.js';
import { readLargeReceipt } from './large-object.js';

const SEGMENTS_KNOWN = 1000;

interface KnownGroup {
  key: string;
  offset: number;
  endOffset: number;
}

export class LandingObjectReader extends PlaceReader {
  private readonly known = new Map<string, KnownGroup[]>();

  constructor(private readonly store: ObjectStore) {
    super();
  }

  async read(place: Place, offset: number, length: number, into?: Buffer): Promise<Buffer> {
    assertInside(place, offset, length);
    return this.orMoved(place, async () => {
      const { key, at } = await this.find(place);
      return this.store.read(key, at + offset, length, into ? { into } : {});
    });
  }

  readStream(place: Place, offset: number, length: number): Readable {
    return Readable.from(this.pieces(place, offset, length), { objectMode: false });
  }

  override receipt(place: Place): Promise<string> {
    return this.orMoved(place, async () => {
      const { keys, kind, generation } = parsePlaceKey(place.key);
      if (kind === 'big') return (await readLargeReceipt(this.store, keys.large(generation))).receipt.toString();
      const { key, at } = await this.find(place);
      const head = decodeHead(await this.store.read(key, at - HEAD_BYTES, HEAD_BYTES));
      if (!head) throw moved(place);
      return (await this.store.read(key, at + head.objectBytes, head.receiptBytes)).toString();
    });
  }

  private async *pieces(place: Place, offset: number, length: number): AsyncGenerator<Buffer> {
    assertInside(place, offset, length);
    const { key, at } = await this.orMoved(place, () => this.find(place));
    const chunks = this.store.readStream(key, at + offset, length)[Symbol.asyncIterator]();
    try {
      for (let step = await this.orMoved(place, () => chunks.next()); !step.done; step = await this.orMoved(place, () => chunks.next())) yield step.value as Buffer;
    } finally {
      await chunks.return?.();
    }
  }

  /** The object that has the place, and where in it the place begins. @throws PlaceMovedError */
  private async find(place: Place): Promise<{ key: string; at: number }> {
    const { keys, kind, generation } = parsePlaceKey(place.key);
    if (kind === 'big') return { key: keys.large(generation), at: place.offset };
    const inKnown = groupOf(this.known.get(place.key), place);
    if (inKnown) return inKnown;
    const groups: KnownGroup[] = [];
    for await (const { key, sizeBytes } of this.store.list(keys.segmentPrefix(generation))) {
      const group = keys.parseGroup(key);
      if (group) groups.push({ key, offset: group.offset, endOffset: group.offset + sizeBytes });
    }
    if (this.known.size >= SEGMENTS_KNOWN) this.known.clear();
    this.known.set(place.key, groups);
    const found = groupOf(groups, place);
    if (!found) throw moved(place);
    return found;
  }

  private async orMoved<T>(place: Place, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      this.known.delete(place.key);
      throw moved(place, error);
    }
  }
}

function groupOf(groups: readonly KnownGroup[] | undefined, place: Place): { key: string; at: number } | undefined {
  const group = groups?.find(({ offset, endOffset }) => place.offset >= offset && place.offset + place.length <= endOffset);
  return group && { key: group.key, at: place.offset - group.offset };
}

function moved(place: Place, cause?: unknown): PlaceMovedError {
  return new PlaceMovedError('The landing segment was released.', { cause, details: { key: place.key } });
}
