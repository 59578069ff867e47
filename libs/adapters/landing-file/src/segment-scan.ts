// Reads the records of one segment as they stand on disk, from its first byte to where no whole record follows, and looks behind that
// place for proof that more was durable (damage) rather than never finished (a torn tail). Decides nothing: recovery does.
import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import {
  FOOTER_BYTES, GROUP_ALIGNMENT_BYTES, HEAD_BYTES, REFERENCE_BYTES, decodeFooter, decodeHead, decodeReference, recordBytes, type LandingPosition, type RecordHead,
} from '@perennia/storage';

/** What is kept of a record for the decision; `prefixCrc` is what the footer says. */
export interface ScannedRecord {
  offset: number;
  head: RecordHead;
  prefixCrc: number;
}

const SMALL_WINDOW_BYTES = 16 * 1024;
const LARGE_WINDOW_BYTES = 1024 * 1024;

export class SegmentScan {
  generation = 0;
  firstSequence = 0;
  lastSequence = 0;
  /** Highest sequence that a head of this segment vouches for. */
  durableSequence = 0;
  /** First byte behind the last record. */
  endBytes = 0;
  objects = 0;
  /** Records that no head of this segment vouches for yet, in order. */
  unproven: ScannedRecord[] = [];
  /** Offset of the last record. */
  lastOffset = 0;
  /** The references among the records, by the generation of the stream file. */
  private readonly referring = new Map<number, { sequence: number; offset: number }>();
  readonly gaps = new Map<number, number>();
  private provenOffset = 0;
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;

  constructor(
    readonly file: string,
    private readonly descriptor: number,
    readonly sizeBytes: number,
    private readonly onRecord: (record: ScannedRecord) => void = () => {},
  ) {}

  /** Generations of the stream files that the records refer to, and the position of the reference. */
  references(): [number, LandingPosition][] {
    return [...this.referring].flatMap(([stream, { sequence, offset }]) =>
      sequence <= this.lastSequence ? [[stream, { generation: this.generation, offset }] as [number, LandingPosition]] : [],
    );
  }

  /** Says what is known of a segment whose beginning is lost. */
  assume(generation: number, lastSequence: number): this {
    this.generation = generation;
    this.lastSequence = lastSequence;
    return this;
  }

  /** Generation and sequence of the first record, when its head is whole. */
  firstHead(): RecordHead | null {
    return decodeHead(this.bytes(0, HEAD_BYTES, SMALL_WINDOW_BYTES));
  }

  /** Takes every whole record from `endBytes` on. */
  run(): this {
    for (let record = this.recordAt(this.endBytes); record; record = this.recordAt(this.endBytes)) this.take(record);
    return this;
  }

  /** Goes on behind damage. False when nothing proves that there was anything: what follows, if anything, is a torn tail. */
  resume(): boolean {
    const from = this.endBytes;
    const next = this.findProof(from);
    if (next === undefined) return false;
    this.gaps.set(from, next);
    this.endBytes = next;
    this.run();
    return true;
  }

  /** A valid head that is not the first thing in the file: its segment may have lost its beginning. @returns its generation, or 0 */
  highestGeneration(): number {
    let highest = 0;
    for (let at = GROUP_ALIGNMENT_BYTES; at < this.sizeBytes; at += GROUP_ALIGNMENT_BYTES) {
      const head = decodeHead(this.bytes(at, HEAD_BYTES, LARGE_WINDOW_BYTES));
      if (head) highest = Math.max(highest, head.generation);
    }
    return highest;
  }

  /** Whether nothing was ever written to the first page. */
  beginsWithZeros(): boolean {
    return this.bytes(0, GROUP_ALIGNMENT_BYTES, SMALL_WINDOW_BYTES).every((byte) => byte === 0);
  }

  read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    const read = readSync(this.descriptor, bytes, 0, length, at);
    return bytes.subarray(0, read);
  }

  /** The records vouched for are proven; forgets them. */
  prove(durableSequence: number): void {
    const first = this.unproven.findIndex((record) => record.head.sequence > durableSequence);
    if (first === 0) return;
    this.provenOffset = this.unproven.at(first < 0 ? -1 : first - 1)?.offset ?? this.provenOffset;
    this.unproven = first < 0 ? [] : this.unproven.slice(first);
  }

  /** Drops all records from that sequence on; they are unproven. @returns whether there were any */
  cutFrom(sequence: number): boolean {
    const at = this.unproven.findIndex((record) => record.head.sequence >= sequence);
    if (at < 0) return false;
    const dropped = this.unproven.splice(at);
    this.objects -= dropped.filter((record) => record.head.kind === 'object').length;
    this.lastSequence = sequence - 1;
    this.endBytes = dropped[0]!.offset;
    this.lastOffset = this.unproven.at(-1)?.offset ?? this.provenOffset;
    return true;
  }

  private take({ offset, head, prefixCrc }: ScannedRecord): void {
    if (this.generation === 0) {
      this.generation = head.generation;
      this.firstSequence = head.sequence;
    }
    this.lastSequence = head.sequence;
    if (head.durableSequence > this.durableSequence) {
      this.durableSequence = head.durableSequence;
      this.prove(head.durableSequence);
    }
    this.unproven.push({ offset, head, prefixCrc });
    this.onRecord({ offset, head, prefixCrc });
    this.endBytes = offset + head.nextBytes;
    this.lastOffset = offset;
    if (head.kind === 'object') this.objects += 1;
    else this.referring.set(decodeReference(this.read(offset + HEAD_BYTES, REFERENCE_BYTES)).generation, { sequence: head.sequence, offset });
  }

  private recordAt(offset: number): ScannedRecord | undefined {
    // One read covers receipt and footer of a record and the head of the next one, or many small records.
    const headBytes = this.bytes(offset, HEAD_BYTES, SMALL_WINDOW_BYTES);
    const head = decodeHead(headBytes);
    if (!head || !this.follows(head)) return undefined;
    const size = recordBytes(head.objectBytes, head.receiptBytes);
    if (head.nextBytes < size || offset + size > this.sizeBytes) return undefined;
    const encodedHead = Buffer.from(headBytes);
    const tailBytes = head.receiptBytes + FOOTER_BYTES;
    const window = size <= SMALL_WINDOW_BYTES * 2 ? LARGE_WINDOW_BYTES : SMALL_WINDOW_BYTES;
    const tail = this.bytes(offset + size - tailBytes, tailBytes, window);
    if (tail.length < tailBytes || crc32(tail.subarray(0, head.receiptBytes)) !== head.receiptCrc) return undefined;
    const prefixCrc = decodeFooter(tail, head.receiptBytes, encodedHead);
    return prefixCrc === null ? undefined : { offset, head, prefixCrc };
  }

  private follows(head: RecordHead): boolean {
    if (this.generation === 0) return true;
    if (head.generation !== this.generation) return false;
    return this.gaps.size > 0 ? head.sequence > this.lastSequence : head.sequence === this.lastSequence + 1;
  }

  /** Offset of the first whole record behind `from` whose segment vouches, here or later, for what stood at `from`. */
  private findProof(from: number): number | undefined {
    const missing = this.lastSequence + 1;
    const broken = decodeHead(this.bytes(from, HEAD_BYTES, LARGE_WINDOW_BYTES));
    // Where only receipt, object or footer are damaged the head still tells where the next record begins.
    let candidate = broken?.generation === this.generation && broken.sequence === missing ? from + broken.nextBytes : undefined;
    for (let at = from; at + HEAD_BYTES <= this.sizeBytes; at = Math.floor(at / GROUP_ALIGNMENT_BYTES + 1) * GROUP_ALIGNMENT_BYTES) {
      const head = decodeHead(this.bytes(at, HEAD_BYTES, LARGE_WINDOW_BYTES));
      if (!head || head.generation !== this.generation || head.sequence < missing) continue;
      if (at > from) candidate ??= at;
      if (head.durableSequence >= missing) return candidate ?? at + head.nextBytes;
    }
    return undefined;
  }

  private bytes(at: number, length: number, windowBytes: number): Buffer {
    if (at < this.windowAt || at + length > this.windowAt + this.window.length) {
      this.window = this.read(at, Math.max(length, Math.min(windowBytes, Math.max(0, this.sizeBytes - at))));
      this.windowAt = at;
    }
    return this.window.subarray(at - this.windowAt, at - this.windowAt + length);
  }
}
