// Prebuilt metadata of a series, compressed once and sent as it is, although every BulkDataURI in it must begin with the
// base URL by which the client of the moment reached us (relative ones would be shorter, but common clients hand them to their
// HTTP library unresolved).
//
// The text is compressed with holes: before each URI a stored block of HOLE_BYTES is left, to be filled when sending with the
// opening quote and base URL, padded by spaces in front, which JSON allows there. All holes get the same bytes, so what is sent
// is a valid gzip stream without anything being compressed again: measured 2 ms for 1,000 instances of 5 KB. Pieces between
// holes refer back over holes, never into them: in the window of the compressor they are control characters, which no JSON text
// contains. The checksum follows from those of the pieces.
//
// Layout: "PMB1", holes' length (u16), number of pieces (u32), per piece compressed length, text length, CRC-32 (u32 each), then
// the compressed pieces. All little endian. Between two pieces is a hole.
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { CorruptDataError } from '@perennia/errors';
import { crc32Combine, crc32Shift } from './crc32-combine.js';

/** Stands in the text where the base URL of the service will be. */
export const BASE_URL_MARK = '\u0001';
const URI_START = '"BulkDataURI":';
const MARKED_URI = `${URI_START}${JSON.stringify(BASE_URL_MARK).slice(0, -1)}`;

const MAGIC = Buffer.from('PMB1');
const HEAD_BYTES = 10;
const ENTRY_BYTES = 12;
const HOLE_BYTES = 96;
const WINDOW_BYTES = 32 * 1024;
const FILLER = Buffer.alloc(HOLE_BYTES, 1);

// RFC 1952: deflate, no name, no time, system unknown.
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
// RFC 1951 §3.2.4: an empty stored block that is the last one.
const LAST_BLOCK = Buffer.from([1, 0, 0, 0xff, 0xff]);

export class MetadataBlobWriter {
  readonly #entries: Buffer[] = [];
  readonly #pieces: Buffer[] = [];
  /** What was written before, its end being the dictionary of the next piece. */
  readonly #history: Buffer = Buffer.allocUnsafe(2 * WINDOW_BYTES);
  #historyBytes = 0;
  /** Text since the last hole. */
  #open: string[] = [];

  add(text: string): void {
    const pieces = text.split(MARKED_URI);
    for (const piece of pieces.slice(0, -1)) {
      this.#open.push(piece, URI_START);
      this.#close();
      this.#remember(FILLER);
    }
    this.#open.push(pieces.at(-1)!);
  }

  finish(): Buffer {
    this.#close();
    const head = Buffer.alloc(HEAD_BYTES);
    MAGIC.copy(head);
    head.writeUInt16LE(HOLE_BYTES, 4);
    head.writeUInt32LE(this.#entries.length, 6);
    return Buffer.concat([head, ...this.#entries, ...this.#pieces]);
  }

  #close(): void {
    const text = Buffer.from(this.#open.join(''));
    this.#open = [];
    const window = this.#history.subarray(Math.max(0, this.#historyBytes - WINDOW_BYTES), this.#historyBytes);
    const dictionary = window.length > 0 ? { dictionary: window } : {};
    const piece = deflateRawSync(text, { level: 6, finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
    const entry = Buffer.alloc(ENTRY_BYTES);
    entry.writeUInt32LE(piece.length, 0);
    entry.writeUInt32LE(text.length, 4);
    entry.writeUInt32LE(crc32(text), 8);
    this.#entries.push(entry);
    this.#pieces.push(piece);
    this.#remember(text);
  }

  #remember(text: Buffer): void {
    const added = text.subarray(-WINDOW_BYTES);
    if (this.#historyBytes + added.length > this.#history.length) {
      const kept = Math.min(this.#historyBytes, WINDOW_BYTES);
      this.#history.copyWithin(0, this.#historyBytes - kept, this.#historyBytes);
      this.#historyBytes = kept;
    }
    this.#historyBytes += added.copy(this.#history, this.#historyBytes);
  }
}

/**
 * The blob as a gzip stream with `baseUrl` in its holes, in buffers to be written one after the other.
 * @returns null when the base URL is too long for the holes: render live
 */
export function fillMetadataBlob(blob: Buffer, baseUrl: string): Buffer[] | null {
  if (blob.length < HEAD_BYTES || blob.compare(MAGIC, 0, 4, 0, 4) !== 0) throw new CorruptDataError('The prebuilt metadata are not what they should be.');
  const holeBytes = blob.readUInt16LE(4);
  const text = Buffer.from(JSON.stringify(baseUrl).slice(0, -1).padStart(holeBytes));
  if (text.length !== holeBytes) return null;
  const hole = storedBlock(text);
  const [holeCrc, holeShift] = [crc32(text), crc32Shift(holeBytes)];
  const count = blob.readUInt32LE(6);
  const parts: Buffer[] = [GZIP_HEAD];
  let crc = 0;
  let textBytes = 0;
  let at = HEAD_BYTES + count * ENTRY_BYTES;
  for (let index = 0; index < count; index++) {
    const entry = HEAD_BYTES + index * ENTRY_BYTES;
    const [compressed, length] = [blob.readUInt32LE(entry), blob.readUInt32LE(entry + 4)];
    if (index > 0) {
      parts.push(hole);
      crc = crc32Combine(crc, holeCrc, holeShift);
      textBytes += holeBytes;
    }
    parts.push(blob.subarray(at, at + compressed));
    crc = crc32Combine(crc, blob.readUInt32LE(entry + 8), crc32Shift(length));
    textBytes += length;
    at += compressed;
  }
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc, 0);
  tail.writeUInt32LE(textBytes % 2 ** 32, 4);
  return [...parts, LAST_BLOCK, tail];
}

/** RFC 1951 §3.2.4; the pieces before end on a byte. */
function storedBlock(text: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(text.length, 1);
  head.writeUInt16LE(text.length ^ 0xffff, 3);
  return Buffer.concat([head, text]);
}
