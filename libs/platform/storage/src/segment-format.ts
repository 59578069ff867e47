// The bytes of a landing segment; docs/formats/landing.md has the tables. A record is head, object, receipt, footer, without gaps:
// the object always begins HEAD_BYTES behind its head, so a place {key, offset, length} needs nothing but the head's offset.
// Promises: a torn record never passes for a whole one (head, receipt, footer and the object's first bytes have a CRC, the rest of the
// object has the SHA-256 in its receipt); a stale record behind the tail never passes for a new one (generation in head and footer).
import { crc32 } from 'node:zlib';

export const SEGMENT_FORMAT_VERSION = 1;
export const HEAD_BYTES = 64;
export const FOOTER_BYTES = 32;
/** The object of a reference record: generation and object length of a file that holds one large object. */
export const REFERENCE_BYTES = 16;
/**
 * The footer guards only so much of the object by CRC: it covers File Meta Information, which `datasetSha256` leaves out. Over a whole
 * CT the CRC would cost 0.19 ms of the receiving thread for bytes whose SHA-256 is in the receipt.
 */
export const GUARDED_PREFIX_BYTES = 16 * 1024;
/** Groups begin and end on this boundary, so that pages that were acknowledged are never written again. */
export const GROUP_ALIGNMENT_BYTES = 4096;

const HEAD_MAGIC = 0x524c4e50; // "PNLR"
const FOOTER_MAGIC = 0x464c4e50; // "PNLF"
const TWO_TO_32 = 0x1_0000_0000;

/** `object`: the Part 10 object stands in the record; `reference`: it stands in a file of its own. */
export type RecordKind = 'object' | 'reference';
const KIND_CODES: Readonly<Record<RecordKind, number>> = { object: 1, reference: 2 };

export interface RecordHead {
  kind: RecordKind;
  generation: number;
  /** Rises by one with each record of the area, over all its segments. */
  sequence: number;
  /** Highest sequence that was durable when this record was written: what it covers was acknowledged and cannot be a torn tail. */
  durableSequence: number;
  /** Distance from this head to the following one, padding included. */
  nextBytes: number;
  objectBytes: number;
  receiptBytes: number;
  receiptCrc: number;
}

/** Where the large object of a reference record stands. */
export interface StreamReference {
  generation: number;
  objectBytes: number;
}

function writeUInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value % TWO_TO_32, at);
  buffer.writeUInt32LE(Math.floor(value / TWO_TO_32), at + 4);
}

function readUInt64(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * TWO_TO_32;
}

/** Bytes of a record without padding. */
export function recordBytes(objectBytes: number, receiptBytes: number): number {
  return HEAD_BYTES + objectBytes + receiptBytes + FOOTER_BYTES;
}

export function encodeHead(head: RecordHead): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  bytes.writeUInt32LE(HEAD_MAGIC, 0);
  bytes.writeUInt16LE(SEGMENT_FORMAT_VERSION, 4);
  bytes.writeUInt16LE(KIND_CODES[head.kind], 6);
  writeUInt64(bytes, head.generation, 8);
  writeUInt64(bytes, head.sequence, 16);
  writeUInt64(bytes, head.durableSequence, 24);
  writeUInt64(bytes, head.nextBytes, 32);
  writeUInt64(bytes, head.objectBytes, 40);
  bytes.writeUInt32LE(head.receiptBytes, 48);
  bytes.writeUInt32LE(head.receiptCrc, 52);
  bytes.writeUInt32LE(0, 56);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** The head at `at`, or null when there is none that is whole (nothing written, torn, rotten or of another format). */
export function decodeHead(bytes: Buffer, at = 0): RecordHead | null {
  if (at + HEAD_BYTES > bytes.length || bytes.readUInt32LE(at) !== HEAD_MAGIC) return null;
  if (bytes.readUInt16LE(at + 4) !== SEGMENT_FORMAT_VERSION) return null;
  if (crc32(bytes.subarray(at, at + 60)) !== bytes.readUInt32LE(at + 60)) return null;
  const code = bytes.readUInt16LE(at + 6);
  if (code !== KIND_CODES.object && code !== KIND_CODES.reference) return null;
  return {
    kind: code === KIND_CODES.object ? 'object' : 'reference',
    generation: readUInt64(bytes, at + 8),
    sequence: readUInt64(bytes, at + 16),
    durableSequence: readUInt64(bytes, at + 24),
    nextBytes: readUInt64(bytes, at + 32),
    objectBytes: readUInt64(bytes, at + 40),
    receiptBytes: bytes.readUInt32LE(at + 48),
    receiptCrc: bytes.readUInt32LE(at + 52),
  };
}

/** @param encodedHead the head's bytes as written */
export function encodeFooter(encodedHead: Buffer, prefixCrc: number): Buffer {
  const bytes = Buffer.allocUnsafe(FOOTER_BYTES);
  bytes.writeUInt32LE(FOOTER_MAGIC, 0);
  bytes.writeUInt32LE(prefixCrc, 4);
  encodedHead.copy(bytes, 8, 8, 24);
  encodedHead.copy(bytes, 24, 60, 64);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  return bytes;
}

/** The CRC-32 of the object's guarded prefix as the footer at `at` has it, or null when the footer is not the one of this head. */
export function decodeFooter(bytes: Buffer, at: number, encodedHead: Buffer): number | null {
  if (at + FOOTER_BYTES > bytes.length || bytes.readUInt32LE(at) !== FOOTER_MAGIC) return null;
  if (bytes.compare(encodedHead, 8, 24, at + 8, at + 24) !== 0 || bytes.compare(encodedHead, 60, 64, at + 24, at + 28) !== 0) return null;
  if (crc32(bytes.subarray(at, at + 28)) !== bytes.readUInt32LE(at + 28)) return null;
  return bytes.readUInt32LE(at + 4);
}

export function encodeReference(reference: StreamReference): Buffer {
  const bytes = Buffer.allocUnsafe(REFERENCE_BYTES);
  writeUInt64(bytes, reference.generation, 0);
  writeUInt64(bytes, reference.objectBytes, 8);
  return bytes;
}

export function decodeReference(bytes: Buffer, at = 0): StreamReference {
  return { generation: readUInt64(bytes, at), objectBytes: readUInt64(bytes, at + 8) };
}
