// The way into the log: one PUT at a time, and whoever waits meanwhile goes together into the next one. Acknowledged in the order of the log,
// when the store has shown the digest and nobody has taken over the area.
import { ConflictError, StoreFullError } from '@perennia/errors';
import { recordBytes, type LandedRecord, type ObjectStore } from '@perennia/storage';
import type { HeldSegment, HeldSegments } from './held-segments.js';
import { encodeRecord, recordAt, type NewRecord } from './landing-group.js';
import type { LandingKeys } from './landing-keys.js';
import type { OwnerEpoch } from './owner-epoch.js';

export interface GroupedPutOptions {
  segmentBytes: number;
  maxSegments: number;
  maxGroupBytes: number;
  nextGeneration: () => number;
  firstSequence: number;
}

interface Pending extends NewRecord {
  resolve: (record: LandedRecord) => void;
  reject: (error: unknown) => void;
}

export class GroupedPut {
  private waiting: Pending[] = [];
  private running: Promise<void> | undefined;
  private current: { segment: HeldSegment; endBytes: number } | undefined;
  private sequence: number;
  private lost: ConflictError | undefined;

  constructor(
    private readonly store: ObjectStore,
    private readonly keys: LandingKeys,
    private readonly epoch: OwnerEpoch,
    private readonly held: HeldSegments,
    private readonly options: GroupedPutOptions,
  ) {
    this.sequence = options.firstSequence;
  }

  get freeSegments(): number {
    return Math.max(0, this.options.maxSegments - this.held.segments);
  }

  append(record: NewRecord): Promise<LandedRecord> {
    if (this.lost) return Promise.reject(this.lost);
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...record, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Everything that was appended is acknowledged or refused. */
  async drained(): Promise<void> {
    while (this.running) await this.running;
  }

  async seal(): Promise<void> {
    await this.drained();
    this.sealCurrent();
  }

  private async run(): Promise<void> {
    // What is appended in the same turn goes together.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.putNext();
    // At once: who appends from now on starts anew.
    this.running = undefined;
  }

  private async putNext(): Promise<void> {
    let group: Pending[] = [];
    try {
      const target = this.targetFor(sizeOf(this.waiting[0]!));
      group = this.takeGroup(this.options.segmentBytes - target.endBytes);
      await this.put(target, group);
    } catch (error) {
      // Without a segment, or without the area, nobody who waits has a chance.
      const refused = group.length === 0 || this.lost ? [...group, ...this.waiting.splice(0)] : group;
      for (const { reject } of refused) reject(error);
    }
  }

  private async put(target: { segment: HeldSegment; endBytes: number }, records: readonly Pending[]): Promise<void> {
    const { generation } = target.segment;
    const offset = target.endBytes;
    const landed: LandedRecord[] = [];
    for (const record of records) {
      landed.push(recordAt(record, generation, target.endBytes, this.keys));
      // Also when it fails: what failed may still appear, and its name and place are never used again.
      target.endBytes += sizeOf(record);
    }
    const bytes = target.endBytes - offset;
    const objects = records.filter(({ kind }) => kind === 'object').length;
    const name = { generation, offset, objects, references: records.length - objects, lastOffset: landed.at(-1)!.position.offset };
    const key = this.keys.group(name);
    await this.send(key, bytes, records, generation);
    await this.assertMine();
    this.held.landed(target.segment, { ...name, key, bytes }, landed);
    for (const [at, { resolve }] of records.entries()) resolve(landed[at]!);
  }

  private async assertMine(): Promise<void> {
    try {
      await this.epoch.assertMine();
    } catch (error) {
      if (error instanceof ConflictError) this.lost = error;
      throw error;
    }
  }

  private async send(key: string, bytes: number, records: readonly Pending[], generation: number): Promise<void> {
    const writer = await this.store.create(key, bytes);
    try {
      for (const record of records) for (const part of encodeRecord(record, generation, this.sequence++)) await writer.write(part);
      await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** @throws StoreFullError when no segment is free */
  private targetFor(bytes: number): { segment: HeldSegment; endBytes: number } {
    if (this.current && this.current.endBytes + bytes > this.options.segmentBytes) this.sealCurrent();
    if (this.current) return this.current;
    if (this.freeSegments === 0) throw new StoreFullError('The landing area is full.', { remedy: 'It goes on by itself when objects have been filed.' });
    const generation = this.options.nextGeneration();
    const segment: HeldSegment = { kind: 'seg', generation, key: this.keys.segmentPlace(generation), sealed: false, bytes: 0, groups: [] };
    this.held.add(segment);
    this.current = { segment, endBytes: 0 };
    return this.current;
  }

  private takeGroup(roomBytes: number): Pending[] {
    const limit = Math.min(roomBytes, this.options.maxGroupBytes);
    let count = 0;
    for (let bytes = 0; count < this.waiting.length; count++) {
      bytes += sizeOf(this.waiting[count]!);
      if (count > 0 && bytes > limit) break;
    }
    return this.waiting.splice(0, count);
  }

  private sealCurrent(): void {
    const { segment } = this.current ?? {};
    this.current = undefined;
    if (!segment) return;
    segment.sealed = true;
    if (segment.groups.length === 0) this.held.remove(segment.generation);
  }
}

const sizeOf = ({ objectBytes, receipt }: NewRecord): number => recordBytes(objectBytes, receipt.length);
