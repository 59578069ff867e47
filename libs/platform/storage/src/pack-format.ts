// The bytes of a pack; docs/formats/pack.md has the tables. Part 10 files end to end, one JSON line per instance, a fixed footer.
// A pack explains itself: the index carries the receipts, so a catalogue can be rebuilt from packs alone.
import type { FrameIndex, Receipt } from '@perennia/contracts';
import { CorruptDataError } from '@perennia/errors';

export const PACK_FORMAT_VERSION = 1;
export const PACK_FOOTER_BYTES = 64;
/** A pack is closed when it has reached this size; one larger object is a pack of its own. */
export const PACK_SPLIT_BYTES = 1024 * 1024 * 1024;
/** … or when its index has reached this size, because an index is read as a whole. */
export const PACK_INDEX_SPLIT_BYTES = 32 * 1024 * 1024;

const MAGIC = Buffer.from('PRNPACK\n', 'latin1');

export type ReceiptHead = Omit<Receipt, 'attributes' | 'traceparent'> & { attributes?: never; traceparent?: never };

/** A receipt on its way into the index: its attributes are JSON text already and go there as they are. */
export interface PackedReceipt {
  head: ReceiptHead;
  attributes: Record<keyof Receipt['attributes'], string>;
}

/** Without what was of use on the way only. */
export function packedReceipt({ attributes: { study, series, instance }, ...head }: Receipt): PackedReceipt {
  return { head: { ...head, traceparent: undefined }, attributes: { study: JSON.stringify(study), series: JSON.stringify(series), instance: JSON.stringify(instance) } };
}

/** One line of the index. */
export interface PackEntry<R = Receipt> {
  studyInstanceUid: string;
  seriesInstanceUid: string;
  sopInstanceUid: string;
  /** First byte and length of the Part 10 object in the pack. */
  offset: number;
  length: number;
  /** Lower-case hex; of the bytes after File Meta Information, and of the whole Part 10 object. */
  datasetSha256: string;
  objectSha256: string;
  headerLength: number;
  datasetOffset: number;
  frameIndex: FrameIndex;
  encryption: 'none';
  receipt: R;
}

export interface PackFooter {
  instances: number;
  indexOffset: number;
  indexBytes: number;
  /** Raw 32 bytes. */
  indexSha256: Buffer;
}

export function encodePackFooter(footer: PackFooter): Buffer {
  const bytes = Buffer.alloc(PACK_FOOTER_BYTES);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(PACK_FORMAT_VERSION, 8);
  bytes.writeUInt32LE(footer.instances, 12);
  bytes.writeBigUInt64LE(BigInt(footer.indexOffset), 16);
  bytes.writeBigUInt64LE(BigInt(footer.indexBytes), 24);
  footer.indexSha256.copy(bytes, 32);
  return bytes;
}

/** @param packBytes size of the whole pack. @throws CorruptDataError when this is no footer of a pack of that size */
export function decodePackFooter(bytes: Buffer, packBytes: number): PackFooter {
  if (bytes.length !== PACK_FOOTER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) {
    throw new CorruptDataError('The file does not end with the footer of a pack.');
  }
  const version = bytes.readUInt32LE(8);
  if (version !== PACK_FORMAT_VERSION) {
    throw new CorruptDataError(`The pack has format version ${version}; this program reads version ${PACK_FORMAT_VERSION}.`);
  }
  const indexOffset = Number(bytes.readBigUInt64LE(16));
  const indexBytes = Number(bytes.readBigUInt64LE(24));
  if (indexOffset + indexBytes + PACK_FOOTER_BYTES !== packBytes) {
    throw new CorruptDataError('The footer of the pack does not fit its size.', { details: { indexOffset, indexBytes, packBytes } });
  }
  return { instances: bytes.readUInt32LE(12), indexOffset, indexBytes, indexSha256: Buffer.from(bytes.subarray(32, 64)) };
}
