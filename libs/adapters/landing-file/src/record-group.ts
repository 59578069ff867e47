// Lays out all records that go out with one write, and pads them to the alignment of groups.
import { crc32 } from 'node:zlib';
import {
  FOOTER_BYTES, GROUP_ALIGNMENT_BYTES, GUARDED_PREFIX_BYTES, HEAD_BYTES, encodeFooter, encodeHead, recordBytes, type LandedRecord, type RecordKind,
} from '@perennia/storage';
import type { Segment } from './segment.js';

/** What waits to be written. */
export interface PendingRecord {
  kind: RecordKind;
  receipt: Buffer;
  parts: readonly Uint8Array[];
  objectBytes: number;
  /** For a reference: the file of the object. */
  stream: Segment | undefined;
  /** Directly before the first part: the record is written from where it stands, head and all, and begins on a boundary. */
  headroom: Buffer | undefined;
  resolve(record: LandedRecord): void;
  reject(error: Error): void;
}

const ZEROS = Buffer.alloc(GROUP_ALIGNMENT_BYTES);

export function pendingBytes(record: PendingRecord): number {
  return recordBytes(record.objectBytes, record.receipt.length);
}

export function prefixCrcOf(parts: readonly Uint8Array[]): number {
  let crc = 0;
  let left = GUARDED_PREFIX_BYTES;
  for (const part of parts) {
    crc = crc32(part.subarray(0, left), crc);
    left -= part.length;
    if (left <= 0) break;
  }
  return crc;
}

export class RecordGroup {
  readonly records: PendingRecord[] = [];
  /** Offset of each record in its segment. */
  readonly offsets: number[] = [];
  private bufferCount = 0;
  private contentBytes = 0;

  constructor(readonly segment: Segment) {}

  get buffers(): number {
    return this.bufferCount;
  }

  get sizeBytes(): number {
    return aligned(this.contentBytes);
  }

  add(record: PendingRecord): void {
    const begin = this.beginOf(record);
    this.offsets.push(this.segment.endBytes + begin);
    this.records.push(record);
    this.contentBytes = begin + pendingBytes(record);
    this.bufferCount += record.parts.length + 4;
  }

  /** Size of the group with one record more. */
  sizeWith(record: PendingRecord): number {
    return aligned(this.beginOf(record) + pendingBytes(record));
  }

  private beginOf(record: PendingRecord): number {
    return record.headroom ? aligned(this.contentBytes) : this.contentBytes;
  }

  /** Whether the record still fits the segment behind those that are in the group. */
  fits(record: PendingRecord, segmentBytes: number): boolean {
    return this.segment.endBytes + this.sizeWith(record) <= segmentBytes;
  }

  /** @param firstSequence of the first record; the others follow */
  encode(firstSequence: number, durableSequence: number): Uint8Array[] {
    const buffers: Uint8Array[] = [];
    const { endBytes } = this.segment;
    const groupEnd = endBytes + this.sizeBytes;
    this.records.forEach((record, at) => {
      const nextBytes = (this.offsets[at + 1] ?? groupEnd) - this.offsets[at]!;
      const head = encodeHead({
        kind: record.kind,
        generation: this.segment.generation,
        sequence: firstSequence + at,
        durableSequence,
        nextBytes,
        objectBytes: record.objectBytes,
        receiptBytes: record.receipt.length,
        receiptCrc: crc32(record.receipt),
      });
      buffers.push(...headAndObject(head, record), record.receipt, encodeFooter(head, prefixCrcOf(record.parts)));
      const padding = nextBytes - pendingBytes(record);
      if (padding > 0) buffers.push(ZEROS.subarray(0, padding));
    });
    return buffers;
  }
}

function headAndObject(head: Buffer, { parts, headroom }: PendingRecord): Uint8Array[] {
  const [first, ...others] = parts;
  if (!headroom || !first) return [head, ...parts];
  headroom.set(head);
  return [Buffer.from(headroom.buffer, headroom.byteOffset, HEAD_BYTES + first.length), ...others];
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / GROUP_ALIGNMENT_BYTES) * GROUP_ALIGNMENT_BYTES;
}

/** Largest object that an empty segment takes. */
export function maxObjectBytes(segmentBytes: number, receiptBytes: number): number {
  return segmentBytes - HEAD_BYTES - FOOTER_BYTES - receiptBytes;
}
