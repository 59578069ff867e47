// The newest durable records in memory, so that a relay that keeps up reads nothing from disk. Whoever asks for what follows a record has
// all up to it, so that is let go at once. Bounded by number and by size.
import type { LandedRecord, LandingPosition } from '@perennia/storage';

const MAX_RECORDS = 4096;
const MAX_RECEIPT_BYTES = 8 * 1024 * 1024;

export function comparePositions(a: LandingPosition, b: LandingPosition): number {
  return a.generation - b.generation || a.offset - b.offset;
}

export class RecentRecords {
  private records: LandedRecord[] = [];
  private receiptBytes = 0;

  /** @param floor the last record before those that will be kept here; null when there is none */
  constructor(private floor: LandingPosition | null) {}

  push(records: readonly LandedRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.receiptBytes += record.receipt.length;
    }
    if (this.records.length > MAX_RECORDS || this.receiptBytes > MAX_RECEIPT_BYTES) this.evict();
  }

  /** All kept records behind `after`, or undefined when some that are not kept may stand between. */
  after(after: LandingPosition | null): readonly LandedRecord[] | undefined {
    if (this.floor !== null && (after === null || comparePositions(after, this.floor) < 0)) return undefined;
    if (after === null) return this.records;
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePositions(this.records[middle]!.position, after) <= 0) low = middle + 1;
      else high = middle;
    }
    if (low > 0) this.drop(low);
    return this.records;
  }

  /** Drops the older half at a time: shifting single records would cost more than keeping them. */
  private evict(): void {
    this.drop(Math.ceil(this.records.length / 2));
  }

  private drop(count: number): void {
    const dropped = this.records.splice(0, count);
    for (const record of dropped) this.receiptBytes -= record.receipt.length;
    this.floor = dropped.at(-1)?.position ?? this.floor;
  }
}
