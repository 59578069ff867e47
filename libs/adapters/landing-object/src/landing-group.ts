// The bytes of one group: its head, then records of the landing format end to end. Objects are immutable and whole, so that one pass over the heads suffices.
import { crc32 } from 'node:zlib';
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { CorruptDataError } from '@perennia/errors';
import {
  FOOTER_BYTES, GUARDED_PREFIX_BYTES, HEAD_BYTES, type LandedRecord, decodeFooter, decodeHead, decodeReference, encodeFooter, encodeHead, recordBytes, type RecordKind, type StreamReference,
} from '@perennia/storage';
import { offsetOf, type LandingKeys } from './landing-keys.js';
import { decodeEntry, ENTRY_BYTES } from './log-entry.js';

export interface NewRecord {
  kind: RecordKind;
  receipt: Buffer;
  parts: readonly Uint8Array[];
  objectBytes: number;
}

/** The record as consecutive buffers. */
export function encodeRecord({ kind, receipt, parts, objectBytes }: NewRecord, generation: number, sequence: number): Uint8Array[] {
  const head = encodeHead({
    kind, generation, sequence, durableSequence: sequence - 1, nextBytes: recordBytes(objectBytes, receipt.length), objectBytes, receiptBytes: receipt.length, receiptCrc: crc32(receipt),
  });
  let crc = 0;
  let guarded = 0;
  for (const part of parts) {
    if (guarded >= GUARDED_PREFIX_BYTES) break;
    const prefix = part.subarray(0, GUARDED_PREFIX_BYTES - guarded);
    crc = crc32(prefix, crc);
    guarded += prefix.length;
  }
  return [head, ...parts, receipt, encodeFooter(head, crc)];
}

/** As the log gives it out; `offset` of its head within the segment. */
export function recordAt({ kind, receipt, parts, objectBytes }: NewRecord, generation: number, offset: number, keys: LandingKeys): LandedRecord {
  const reference = kind === 'reference' ? decodeReference(Buffer.from(parts[0]!)) : undefined;
  return { position: { generation, offset }, receipt, place: placeOf(reference, objectBytes, generation, offset, keys) };
}

function placeOf(reference: StreamReference | undefined, objectBytes: number, generation: number, offset: number, keys: LandingKeys): Place {
  if (reference) return { tier: LANDING_TIER, key: keys.largePlace(reference.generation), offset: 0, length: reference.objectBytes };
  return { tier: LANDING_TIER, key: keys.segmentPlace(generation), offset: offset + HEAD_BYTES, length: objectBytes };
}

export interface ReadRecord {
  record: LandedRecord;
  /** Of a record that refers to a large object. */
  reference: StreamReference | undefined;
}

/** @throws CorruptDataError where there is no whole record */
export function decodeGroup(bytes: Buffer, generation: number, number: number, keys: LandingKeys): ReadRecord[] {
  decodeEntry(bytes, keys.log(number));
  const offset = offsetOf(generation, number);
  const found: ReadRecord[] = [];
  for (let at = ENTRY_BYTES; at < bytes.length; ) {
    const head = decodeHead(bytes, at);
    const receiptAt = at + HEAD_BYTES + (head?.objectBytes ?? 0);
    const footerAt = receiptAt + (head?.receiptBytes ?? 0);
    const isWhole = head?.generation === generation && footerAt + FOOTER_BYTES <= bytes.length && decodeFooter(bytes, footerAt, bytes.subarray(at, at + HEAD_BYTES)) !== null;
    const receipt = Buffer.from(bytes.subarray(receiptAt, footerAt));
    if (!head || !isWhole || crc32(receipt) !== head.receiptCrc) throw new CorruptDataError('A group of landed records is not as it was written.', { details: { generation, offset: offset + at } });
    const reference = head.kind === 'reference' ? decodeReference(bytes, at + HEAD_BYTES) : undefined;
    found.push({ record: { position: { generation, offset: offset + at }, receipt, place: placeOf(reference, head.objectBytes, generation, offset + at, keys) }, reference });
    at += head.nextBytes;
  }
  return found;
}
