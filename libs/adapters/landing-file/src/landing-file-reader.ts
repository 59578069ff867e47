// Reads objects from landing areas, also those of other processes. A segment may be recycled at any moment: so the head before the object
// is read *after* the bytes were. Writers fill a segment upwards, the head first; if it is still the one of the place's generation, so
// were the bytes. Otherwise PlaceMovedError, never wrong bytes.
import { close, constants, openSync, read as readDescriptor, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { CorruptDataError, InvalidInputError, PlaceMovedError } from '@perennia/errors';
import { AlignedBuffers, BLOCK_BYTES, HEAD_BYTES, PlaceReader, asDiskError, assertInside, decodeHead, type RecordHead } from '@perennia/storage';

const KEY = /^([A-Za-z0-9_][A-Za-z0-9._-]{0,63})\/(seg-\d{4,}|stream-\d+)@(\d+)$/;
const MAX_OPEN_FILES = 64;
const CHUNK_BYTES = 1024 * 1024;
/** Up to here a copy from the page cache is quicker than a trip to another thread. */
const SYNCHRONOUS_BYTES = 64 * 1024;
/** A copy that takes longer came from the device: then the next reads are made beside each other by other threads. */
const CACHED_WITHIN_MS = 0.1;
const READS_BESIDE = 256;

const readAsync = promisify(readDescriptor);

/** Of objects above this `chunks` reads from the device: large groups are written past the page cache, and are read once, by filing. */
const DIRECT_FROM_BYTES = 128 * 1024;

interface OpenFile {
  descriptor: number;
  /** A second one for O_DIRECT, once it was wanted. */
  direct: number | undefined;
  users: number;
  evicted: boolean;
}

interface ParsedPlace {
  path: string;
  generation: number;
}

interface WantedRange {
  offset: number;
  length: number;
  into: Buffer | undefined;
}

export class LandingFileReader extends PlaceReader {
  /** By path, least recently used first. */
  private readonly files = new Map<string, OpenFile>();
  /** null: this folder cannot be read past the page cache. */
  private buffers: AlignedBuffers | null | undefined;

  /** Reads to come that probably find nothing in the page cache. */
  private uncached = 0;

  /** @param directory folder of all areas, as in `<data>/landing` */
  constructor(private readonly directory: string) {
    super();
  }

  async read(place: Place, offset: number, length: number, into?: Buffer): Promise<Buffer> {
    assertInside(place, offset, length);
    const { path, generation } = this.parse(place);
    try {
      return await this.readOnce(path, generation, place, { offset, length, into });
    } catch (error) {
      // The file of that name may have been replaced since we opened it.
      if (!(error instanceof PlaceMovedError) || !this.evict(path)) throw error;
      return this.readOnce(path, generation, place, { offset, length, into });
    }
  }

  readStream(place: Place, offset: number, length: number): Readable {
    assertInside(place, offset, length);
    return Readable.from(this.ownChunks(place, offset, length), { objectMode: false, highWaterMark: CHUNK_BYTES });
  }

  override async *chunks(place: Place, offset: number, length: number): AsyncGenerator<Buffer> {
    assertInside(place, offset, length);
    const buffers = length >= DIRECT_FROM_BYTES ? this.alignedBuffers() : null;
    if (!buffers?.direct) return yield* this.ownChunks(place, offset, length);
    const { path, generation } = this.parse(place);
    const file = this.open(path);
    const staging = buffers.take();
    file.users += 1;
    try {
      file.direct ??= openSync(`/proc/self/fd/${file.descriptor}`, constants.O_RDONLY | constants.O_DIRECT);
      const end = place.offset + offset + length;
      for (let at = place.offset + offset; at < end; ) {
        const from = Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES;
        const wanted = Math.min(staging.length, Math.ceil((end - from) / BLOCK_BYTES) * BLOCK_BYTES);
        const { bytesRead } = await readAsync(file.direct, staging, 0, wanted, from);
        const chunk = staging.subarray(at - from, Math.min(bytesRead, end - from));
        this.assertStill(file.descriptor, generation, place);
        if (chunk.length === 0) throw new CorruptDataError('A landing segment is shorter than it was.', { details: { key: place.key } });
        at += chunk.length;
        yield chunk;
      }
    } catch (error) {
      // The file of that name may have been replaced since it was opened: whoever tries again opens the new one.
      if (error instanceof PlaceMovedError) this.evict(path);
      throw typeof (error as NodeJS.ErrnoException).syscall === 'string' ? asDiskError(error, 'read a landing segment') : error;
    } finally {
      buffers.give(staging);
      this.unuse(file);
    }
  }

  override async receipt(place: Place): Promise<string> {
    const { path, generation } = this.parse(place);
    const file = this.open(path);
    file.users += 1;
    try {
      const { receiptBytes, receiptCrc } = this.assertStill(file.descriptor, generation, place);
      const bytes = Buffer.allocUnsafe(receiptBytes);
      const count = await this.readFully(file.descriptor, bytes, place.offset + place.length);
      this.assertStill(file.descriptor, generation, place);
      if (count === receiptBytes && crc32(bytes) === receiptCrc) return bytes.toString('utf8');
      throw new CorruptDataError('A receipt in the landing area is not as it was written.', { details: { key: place.key } });
    } finally {
      this.unuse(file);
    }
  }

  close(): void {
    for (const path of this.files.keys()) this.evict(path);
  }

  private async *ownChunks(place: Place, offset: number, length: number): AsyncGenerator<Buffer> {
    const end = offset + length;
    for (let at = offset; at < end; at += CHUNK_BYTES) yield await this.read(place, at, Math.min(CHUNK_BYTES, end - at));
  }

  private alignedBuffers(): AlignedBuffers | null {
    if (this.buffers !== undefined) return this.buffers;
    try {
      this.buffers = AlignedBuffers.forFolder(this.directory, 4);
    } catch {
      // Without the right to write there is no way to find out; reading through the page cache is only slower.
      this.buffers = null;
    }
    return this.buffers;
  }

  private parse(place: Place): ParsedPlace {
    const [, owner, file, generation] = KEY.exec(place.key) ?? [];
    if (place.tier !== LANDING_TIER || !owner || !file) throw new InvalidInputError('The place is not one of a landing area.');
    return { path: join(this.directory, owner, file), generation: Number(generation) };
  }

  private async readOnce(path: string, generation: number, place: Place, { offset, length, into }: WantedRange): Promise<Buffer> {
    const file = this.open(path);
    file.users += 1;
    try {
      const bytes = into && into.length >= length ? into.subarray(0, length) : Buffer.allocUnsafe(length);
      const position = place.offset + offset;
      const count = await this.readFully(file.descriptor, bytes, position);
      this.assertStill(file.descriptor, generation, place);
      if (count !== length) throw new CorruptDataError('A landing segment is shorter than it was.', { details: { key: place.key } });
      return bytes;
    } finally {
      this.unuse(file);
    }
  }

  private async readFully(descriptor: number, bytes: Buffer, position: number): Promise<number> {
    let done = 0;
    while (done < bytes.length) {
      const left = bytes.length - done;
      const beside = left > SYNCHRONOUS_BYTES || this.uncached > 0;
      const count = beside ? (await readAsync(descriptor, bytes, done, left, position + done)).bytesRead : this.readHere(descriptor, bytes.subarray(done), position + done);
      if (beside && this.uncached > 0) this.uncached -= 1;
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  private readHere(descriptor: number, bytes: Buffer, position: number): number {
    const beganMs = performance.now();
    const count = readSync(descriptor, bytes, 0, bytes.length, position);
    if (performance.now() - beganMs > CACHED_WITHIN_MS) this.uncached = READS_BESIDE;
    return count;
  }

  private unuse(file: OpenFile): void {
    file.users -= 1;
    if (file.evicted && file.users === 0) closeFile(file);
  }

  private assertStill(descriptor: number, generation: number, place: Place): RecordHead {
    const bytes = Buffer.allocUnsafe(HEAD_BYTES);
    const read = place.offset >= HEAD_BYTES ? readSync(descriptor, bytes, 0, HEAD_BYTES, place.offset - HEAD_BYTES) : 0;
    const head = decodeHead(bytes.subarray(0, read));
    if (head?.generation === generation && head.kind === 'object' && head.objectBytes === place.length) return head;
    throw new PlaceMovedError('The object is no longer in the landing area.', { details: { key: place.key } });
  }

  private open(path: string): OpenFile {
    const known = this.files.get(path);
    if (known) {
      this.files.delete(path);
      this.files.set(path, known);
      return known;
    }
    let file: OpenFile;
    try {
      file = { descriptor: openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW), direct: undefined, users: 0, evicted: false };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new PlaceMovedError('The object is no longer in the landing area.', { cause: error });
      throw asDiskError(error, 'open a landing segment');
    }
    this.files.set(path, file);
    if (this.files.size > MAX_OPEN_FILES) this.evict(this.files.keys().next().value!);
    return file;
  }

  private evict(path: string): boolean {
    const file = this.files.get(path);
    if (!file) return false;
    this.files.delete(path);
    file.evicted = true;
    if (file.users === 0) closeFile(file);
    return true;
  }
}

function closeFile({ descriptor, direct }: OpenFile): void {
  close(descriptor);
  if (direct !== undefined) close(direct);
}
