// What an area holds: segments with their groups, large objects, and the log that they make. Receipts of what came last are remembered;
// older ones are read again from their group.
import { NotFoundError } from '@perennia/errors';
import { DurableNotice, type LandedRecord, type LandingPosition, type ObjectStore, type SealedSegment } from '@perennia/storage';
import { decodeGroup } from './landing-group.js';
import { offsetOf, type LandingKeys } from './landing-keys.js';

const REMEMBERED_BYTES = 32 * 1024 * 1024;

export interface HeldGroup {
  number: number;
  /** Of its segment. */
  generation: number;
  key: string;
  bytes: number;
  records?: LandedRecord[];
}

export interface HeldSegment {
  kind: 'seg' | 'big';
  generation: number;
  /** As places name it. */
  key: string;
  sealed: boolean;
  bytes: number;
  /** In order; none for a large object. */
  groups: HeldGroup[];
  /** Records in its groups, by kind. */
  objects: number;
  references: number;
  lastRecord?: LandingPosition;
  /** Of a large object: where the log refers to it. */
  referredAt?: LandingPosition;
}

export const newSegment = (kind: 'seg' | 'big', generation: number, key: string): HeldSegment => ({ kind, generation, key, sealed: false, bytes: 0, groups: [], objects: 0, references: 0 });

export class HeldSegments {
  private readonly byGeneration = new Map<number, HeldSegment>();
  private readonly keysHeld = new Set<string>();
  private readonly remembered: HeldGroup[] = [];
  private rememberedBytes = 0;
  private readonly notice = new DurableNotice();

  constructor(private readonly store: ObjectStore, private readonly keys: LandingKeys) {}

  add(segment: HeldSegment): void {
    this.byGeneration.set(segment.generation, segment);
    this.keysHeld.add(segment.key);
  }
  remove(generation: number): void {
    const segment = this.byGeneration.get(generation);
    if (!segment) return;
    this.byGeneration.delete(generation);
    this.keysHeld.delete(segment.key);
  }
  find(generation: number): HeldSegment | undefined {
    return this.byGeneration.get(generation);
  }
  all(): HeldSegment[] {
    return [...this.byGeneration.values()].toSorted((a, b) => a.generation - b.generation);
  }
  get heldBytes(): number {
    return this.all().reduce((sum, { bytes }) => sum + bytes, 0);
  }
  /** Without large objects. */
  get segments(): number {
    return this.all().filter(({ kind }) => kind === 'seg').length;
  }

  /** A group that is durable and acknowledged from now on. */
  landed(segment: HeldSegment, group: HeldGroup, records: LandedRecord[]): void {
    segment.groups.push(group);
    segment.bytes += group.bytes;
    segment.objects += records.filter(({ place }) => place.key === segment.key).length;
    segment.references += records.filter(({ place }) => place.key !== segment.key).length;
    segment.lastRecord = records.at(-1)!.position;
    this.remember(group, records);
    this.notice.tell();
  }

  async recordsAfter(after: LandingPosition | null, limit: number): Promise<LandedRecord[]> {
    const version = this.notice.now;
    const found: LandedRecord[] = [];
    for (const { kind, generation, groups, lastRecord } of this.all()) {
      if (kind === 'big' || (after && generation < after.generation) || (lastRecord && !isAfter(lastRecord, after))) continue;
      for (const group of groups) {
        if (found.length >= limit) return found;
        if (after && generation === after.generation && offsetOf(generation, group.number + 1) <= after.offset) continue;
        for (const record of await this.recordsOf(group)) {
          if (found.length < limit && isAfter(record.position, after) && this.keysHeld.has(record.place.key)) found.push(record);
        }
      }
    }
    if (found.length < limit) this.notice.saw(version);
    return found;
  }

  whenDurable(signal: AbortSignal): Promise<void> {
    return this.notice.when(signal);
  }

  sealedSegments(): SealedSegment[] {
    return this.all().flatMap((segment) => {
      const { generation, key, bytes, sealed, lastRecord = segment.referredAt } = segment;
      const records = segment.kind === 'big' ? 1 : segment.objects;
      return sealed && lastRecord ? [{ generation, key, bytes, records, lastRecord }] : [];
    });
  }

  /** Everything of a group, from memory or from the store; nothing when it is being released. */
  async recordsOf(group: HeldGroup): Promise<LandedRecord[]> {
    if (group.records) return group.records;
    try {
      const bytes = await this.store.read(group.key, 0, group.bytes);
      const records = decodeGroup(bytes, group.generation, group.number, this.keys).map(({ record }) => record);
      this.remember(group, records);
      return records;
    } catch (error) {
      if (error instanceof NotFoundError) return [];
      throw error;
    }
  }

  private remember(group: HeldGroup, records: LandedRecord[]): void {
    group.records = records;
    this.remembered.push(group);
    this.rememberedBytes += sizeOf(records);
    while (this.rememberedBytes > REMEMBERED_BYTES && this.remembered.length > 1) {
      const oldest = this.remembered.shift()!;
      this.rememberedBytes -= sizeOf(oldest.records ?? []);
      delete oldest.records;
    }
  }
}

const sizeOf = (records: readonly LandedRecord[]): number => records.reduce((sum, { receipt }) => sum + receipt.length, 0);

function isAfter(position: LandingPosition, after: LandingPosition | null): boolean {
  if (!after || position.generation !== after.generation) return !after || position.generation > after.generation;
  return position.offset > after.offset;
}
