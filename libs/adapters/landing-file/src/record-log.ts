// The durable records of an area in their order, from memory where they are recent, else from the segments. Never gives out a record
// that is not durable: the page cache would show those too.
import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { LANDING_TIER } from '@perennia/contracts';
import {
  DurableNotice, HEAD_BYTES, REFERENCE_BYTES, decodeHead, decodeReference, type LandedRecord, type LandingPosition, type RecordHead,
} from '@perennia/storage';
import type { LandingDamage } from './landing-options.js';
import { RecentRecords } from './recent-records.js';
import type { Segment } from './segment.js';

/** Records read from disk between two turns of the event loop. */
const RECORDS_PER_TURN = 64;

export class RecordLog {
  /** Log segments that are not released, by generation, ascending. */
  private readonly segments = new Map<number, Segment>();
  private readonly streams = new Map<number, Segment>();
  private readonly recent: RecentRecords;
  private readonly notice = new DurableNotice();

  constructor(
    held: readonly Segment[],
    private readonly onDamage: (damage: LandingDamage) => void,
  ) {
    for (const segment of held) this.segments.set(segment.generation, segment);
    const last = held.at(-1);
    if (last) this.notice.tell();
    this.recent = new RecentRecords(last ? { generation: last.generation, offset: Number.MAX_SAFE_INTEGER } : null);
  }

  addSegment(segment: Segment): void {
    this.segments.set(segment.generation, segment);
  }

  addStream(stream: Segment): void {
    this.streams.set(stream.generation, stream);
  }

  find(generation: number): Segment | undefined {
    return this.segments.get(generation) ?? this.streams.get(generation);
  }

  remove(generation: number): void {
    if (!this.segments.delete(generation)) this.streams.delete(generation);
  }

  held(): Segment[] {
    return [...this.segments.values(), ...this.streams.values()].toSorted((a, b) => a.generation - b.generation);
  }

  landed(records: readonly LandedRecord[]): void {
    this.recent.push(records);
    this.notice.tell();
  }

  async recordsAfter(after: LandingPosition | null, limit: number): Promise<LandedRecord[]> {
    const version = this.notice.now;
    const known = this.recent.after(after);
    const records = known ? this.stillHeld(known, limit) : await this.readAfter(after, limit);
    if (records.length < limit) this.notice.saw(version);
    return records;
  }

  whenDurable(signal: AbortSignal): Promise<void> {
    return this.notice.when(signal);
  }

  private stillHeld(records: readonly LandedRecord[], limit: number): LandedRecord[] {
    const found: LandedRecord[] = [];
    for (const record of records) {
      if (found.length >= limit) break;
      if (this.segments.has(record.position.generation) && this.objectHeld(record)) found.push(record);
    }
    return found;
  }

  private objectHeld(record: LandedRecord): boolean {
    const generation = Number(record.place.key.slice(record.place.key.lastIndexOf('@') + 1));
    return generation === record.position.generation || this.streams.has(generation);
  }

  private async readAfter(after: LandingPosition | null, limit: number): Promise<LandedRecord[]> {
    const found: LandedRecord[] = [];
    let turn = 0;
    for (const segment of this.segments.values()) {
      if (after && segment.generation < after.generation) continue;
      let offset = 0;
      if (after?.generation === segment.generation) offset = this.next(segment, after.offset);
      while (offset < segment.durableBytes && found.length < limit) {
        const gapEnd = segment.gaps.get(offset);
        if (gapEnd !== undefined) {
          offset = gapEnd;
          continue;
        }
        const head = this.headAt(segment, offset);
        if (!head) break;
        const record = this.recordAt(segment, offset, head);
        if (record) found.push(record);
        offset += head.nextBytes;
        turn += 1;
        if (turn % RECORDS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
        if (this.segments.get(segment.generation) !== segment) break; // Released meanwhile.
      }
      if (found.length >= limit) break;
    }
    return found;
  }

  private next(segment: Segment, offset: number): number {
    if (offset >= segment.durableBytes) return segment.durableBytes;
    const head = this.headAt(segment, offset);
    return head ? offset + head.nextBytes : segment.durableBytes;
  }

  private headAt(segment: Segment, offset: number): RecordHead | null {
    const bytes = Buffer.allocUnsafe(HEAD_BYTES);
    const read = readSync(segment.descriptor, bytes, 0, HEAD_BYTES, offset);
    const head = decodeHead(bytes.subarray(0, read));
    if (head?.generation === segment.generation) return head;
    this.damaged(segment, offset, 'the head of a record cannot be read any more');
    return null;
  }

  private recordAt(segment: Segment, offset: number, head: RecordHead): LandedRecord | undefined {
    const stream = head.kind === 'reference' ? this.referredBy(segment, offset) : undefined;
    if (head.kind === 'reference' && !stream) return undefined;
    const receipt = Buffer.allocUnsafe(head.receiptBytes);
    readSync(segment.descriptor, receipt, 0, receipt.length, offset + HEAD_BYTES + head.objectBytes);
    if (crc32(receipt) !== head.receiptCrc) {
      this.damaged(segment, offset, 'a receipt cannot be read any more; its object is kept');
      return undefined;
    }
    return {
      position: { generation: segment.generation, offset },
      receipt,
      place: stream
        ? { tier: LANDING_TIER, key: stream.key, offset: HEAD_BYTES, length: stream.objectBytes }
        : { tier: LANDING_TIER, key: segment.key, offset: offset + HEAD_BYTES, length: head.objectBytes },
    };
  }

  /** Undefined when the large object was released already. */
  private referredBy(segment: Segment, offset: number): Segment | undefined {
    const bytes = Buffer.allocUnsafe(REFERENCE_BYTES);
    readSync(segment.descriptor, bytes, 0, REFERENCE_BYTES, offset + HEAD_BYTES);
    return this.streams.get(decodeReference(bytes).generation);
  }

  private damaged(segment: Segment, offset: number, what: string): void {
    if (segment.damaged) return;
    segment.damaged = true;
    this.onDamage({ file: segment.file, generation: segment.generation, offset, what });
  }
}
