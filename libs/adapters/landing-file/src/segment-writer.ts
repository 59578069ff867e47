// Group commit. All that waits goes out with one write and becomes durable with one fdatasync; at most one write and one fdatasync are
// under way. Promises: records are acknowledged in the order of their sequence, each after the fdatasync that began after its write
// returned, so that what was acknowledged is a prefix without holes. An error of the device is never retried on the same file
// (after a failed fsync the kernel may have dropped the pages): the segment is left, the records that were not durable are refused.
import { LANDING_TIER } from '@perennia/contracts';
import { StoreFullError, UnavailableError } from '@perennia/errors';
import { faultPoint, mutant } from '@perennia/fault-points';
import { HEAD_BYTES, asDiskError, type LandedRecord } from '@perennia/storage';
import { DirectStaging } from './direct-staging.js';
import type { ResolvedLandingOptions } from './landing-options.js';
import { LoneSender } from './lone-sender.js';
import { RecordGroup, type PendingRecord } from './record-group.js';
import type { Segment } from './segment.js';
import type { SegmentPool } from './segment-pool.js';

const MAX_GROUP_BYTES = 32 * 1024 * 1024;
/** Fits the staging buffer, padding included. */
const MAX_DIRECT_GROUP_BYTES = 4 * 1024 * 1024 - 4096;
/** What is shorter is copied: a record of its own boundary, and a buffer of its own in the write, would cost more. */
const MIN_IN_PLACE_BYTES = 64 * 1024;
/** IOV_MAX is 1024 on Linux. */
const MAX_GROUP_BUFFERS = 1000;
/** Longest write that the calling thread makes itself. */
const MAX_LONE_WRITE_BYTES = 1024 * 1024;
const EARLY_SYNC_DELAY_MS = 300;

export interface WriterEvents {
  /** A segment was taken into use. */
  onOpened(segment: Segment): void;
  /** Records that became durable, in order. */
  onDurable(segment: Segment, records: readonly LandedRecord[]): void;
}

export class SegmentWriter {
  private current: Segment | undefined;
  private queue: PendingRecord[] = [];
  /** Written, waiting for an fdatasync; in the order of their sequence. */
  private unsynced: RecordGroup[] = [];
  private acquiring = false;
  private writing: RecordGroup | undefined;
  private syncing = false;
  private nextSequence: number;
  private readonly idle: (() => void)[] = [];
  private readonly scratch: Buffer;
  private readonly staging: DirectStaging | undefined;
  private readonly lone: LoneSender;
  private readonly early = mutant('early-acknowledgement');

  /** @param durableSequence of the last record that recovery found */
  constructor(
    private readonly options: ResolvedLandingOptions,
    private readonly pool: SegmentPool,
    private readonly events: WriterEvents,
    private durableSequence: number,
  ) {
    this.nextSequence = durableSequence + 1;
    this.lone = new LoneSender(this.early ? 0 : options.loneSyncMs);
    this.scratch = Buffer.allocUnsafeSlow(Math.max(options.synchronousBytes, 1));
    this.staging = options.direct ? DirectStaging.forFolder(options.folder) : undefined;
  }

  append(record: PendingRecord): void {
    this.queue.push(record);
    this.pump();
  }

  /** Ends the current segment if it holds anything; resolves when all of it is durable. */
  seal(): Promise<void> {
    const segment = this.current;
    if (!segment || (segment.endBytes === 0 && this.writing?.segment !== segment)) return Promise.resolve();
    this.leaveCurrent();
    return segment.whenSealed();
  }

  /** Memory that records are written from where they stand, if the file system takes that. */
  memory(sizeBytes: number): Buffer {
    return this.staging?.memory(sizeBytes) ?? Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** Whether an object behind `headroom` is worth being written from there. */
  isInPlace(headroom: Buffer | undefined, objectBytes: number): boolean {
    return headroom !== undefined && objectBytes >= MIN_IN_PLACE_BYTES && this.staging?.isAligned(headroom) === true;
  }

  close(): void {
    this.staging?.close();
  }

  /** Resolves when nothing is queued, being written or being synced. */
  drained(): Promise<void> {
    if (this.isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private isIdle(): boolean {
    return this.queue.length === 0 && !this.writing && this.unsynced.length === 0 && !this.syncing && !this.acquiring;
  }

  private settle(): void {
    if (this.idle.length > 0 && this.isIdle()) for (const resume of this.idle.splice(0)) resume();
  }

  private pump(): void {
    while (!this.writing && !this.acquiring && this.queue.length > 0) {
      if (!this.current) return void this.acquire();
      const group = this.gather(this.current);
      if (group) this.write(group);
      else this.leaveCurrent();
    }
    this.settle();
  }

  private async acquire(): Promise<void> {
    this.acquiring = true;
    try {
      this.current = await this.pool.acquire();
      this.events.onOpened(this.current);
    } catch (error) {
      this.refuse(this.queue.splice(0), asDiskError(error, 'land an object'));
    }
    this.acquiring = false;
    this.pump();
  }

  /** A segment is sealed for others once all that was written to it is durable. */
  private leaveCurrent(): void {
    const segment = this.current;
    this.current = undefined;
    if (!segment || this.writing?.segment === segment || this.unsynced.some((group) => group.segment === segment)) return;
    segment.markSealed();
  }

  private gather(segment: Segment): RecordGroup | undefined {
    const group = new RecordGroup(segment);
    let taken = 0;
    for (const record of this.queue) {
      if (!group.fits(record, this.options.segmentBytes)) break;
      const large = group.sizeWith(record) > (this.staging ? MAX_DIRECT_GROUP_BYTES : MAX_GROUP_BYTES) || group.buffers + record.parts.length > MAX_GROUP_BUFFERS - 5;
      if (taken > 0 && large) break;
      group.add(record);
      taken += 1;
    }
    if (taken === 0) return undefined;
    this.queue = this.queue.slice(taken);
    return group;
  }

  private write(group: RecordGroup): void {
    const { disk, synchronousBytes } = this.options;
    const { descriptor, endBytes } = group.segment;
    this.writing = group;
    this.pool.used();
    try {
      faultPoint('K6');
      this.lone.begins(group.records.length, this.queue.length > 0 || this.unsynced.length > 0);
      const buffers = group.encode(this.nextSequence, this.durableSequence);
      const direct = this.staging?.takes(group.sizeBytes) ? this.staging : undefined;
      // A lone sender waits for the device anyway: past the page cache it is there sooner, whatever the size.
      if (direct && this.lone.isAlone && group.sizeBytes <= MAX_LONE_WRITE_BYTES) this.written(group, direct.writeSync(group.segment, buffers, endBytes));
      else if (group.sizeBytes > synchronousBytes) void this.writeLarge(group, () => direct?.write(group.segment, buffers, endBytes) ?? disk.writev(descriptor, buffers, endBytes));
      else this.written(group, disk.writeSync(descriptor, this.flatten(buffers), endBytes));
    } catch (error) {
      this.writeFailed(group, error);
    }
  }

  private async writeLarge(group: RecordGroup, write: () => Promise<number>): Promise<void> {
    try {
      this.written(group, await write());
    } catch (error) {
      this.writeFailed(group, error);
    }
    this.pump();
  }

  private flatten(buffers: readonly Uint8Array[]): Buffer {
    let at = 0;
    for (const buffer of buffers) {
      this.scratch.set(buffer, at);
      at += buffer.length;
    }
    return this.scratch.subarray(0, at);
  }

  private written(group: RecordGroup, bytes: number): void {
    const { segment } = group;
    try {
      if (bytes !== group.sizeBytes) throw new StoreFullError('The disk took only a part of what was written.');
      faultPoint('K7');
    } catch (error) {
      return this.writeFailed(group, error);
    }
    this.writing = undefined;
    if (segment.poisoned) {
      this.cut(segment);
      return this.refuse(group.records, deviceError(segment.file));
    }
    this.nextSequence += group.records.length;
    segment.endBytes += group.sizeBytes;
    if (this.early) this.landed(group).forEach((landed, at) => group.records[at]!.resolve(landed));
    this.unsynced.push(group);
    if (this.lone.isAlone && !this.syncing) this.syncHere(segment);
    else void this.sync();
  }

  /** The only group, by the calling thread. */
  private syncHere(segment: Segment): void {
    const { disk, clock } = this.options;
    const beganMs = clock.monotonicMs();
    try {
      disk.fdatasyncSync(segment.descriptor);
      faultPoint('K8');
      this.synced(segment, this.unsynced.splice(0));
    } catch (error) {
      this.syncFailed(segment, error);
    }
    this.lone.ended(clock.monotonicMs() - beganMs);
  }

  /** Nothing of the group stays: its first head is wiped, so that recovery does not find what was refused. */
  private writeFailed(group: RecordGroup, cause: unknown): void {
    this.writing = undefined;
    const error = asDiskError(cause, 'write a landing segment');
    const { segment } = group;
    const wiped = this.wipe(segment);
    if (!(error instanceof StoreFullError) || !wiped) {
      segment.poisoned = true;
      if (this.current === segment) this.leaveCurrent();
    }
    this.refuse(group.records, error);
    if (error instanceof StoreFullError) this.refuse(this.queue.splice(0), error);
    this.settle();
  }

  private wipe(segment: Segment): boolean {
    try {
      this.options.disk.writeSync(segment.descriptor, Buffer.alloc(HEAD_BYTES), segment.endBytes);
      return true;
    } catch {
      // The same cause; the segment is not written again, and a later generation with these sequences voids what may stand there.
      return false;
    }
  }

  private async sync(): Promise<void> {
    if (this.syncing) return;
    this.syncing = true;
    for (let first = this.unsynced[0]; first; first = this.unsynced[0]) {
      const { segment } = first;
      const covered = this.unsynced.filter((group) => group.segment === segment).length;
      try {
        // Who acknowledges early leaves the sync for later: the mutant does, so that a cut between the two is not a matter of luck.
        if (this.early) await new Promise((resolve) => setTimeout(resolve, EARLY_SYNC_DELAY_MS));
        await this.options.disk.fdatasync(segment.descriptor);
        faultPoint('K8');
        this.synced(segment, this.unsynced.splice(0, covered));
      } catch (error) {
        this.syncFailed(segment, error);
      }
    }
    this.syncing = false;
    this.settle();
  }

  private synced(segment: Segment, groups: readonly RecordGroup[]): void {
    for (const group of groups) {
      const records = this.landed(group);
      this.durableSequence += records.length;
      segment.durableBytes = segment.durableBytes + group.sizeBytes;
      segment.lastRecord = records.at(-1)!.position;
      for (const [at, record] of group.records.entries()) {
        if (record.stream) record.stream.lastRecord = records[at]!.position;
        else segment.objects += 1;
      }
      this.markIfSealed(segment);
      this.events.onDurable(segment, records);
      group.records.forEach((record, at) => record.resolve(records[at]!));
    }
  }

  private markIfSealed(segment: Segment): void {
    const waiting = segment === this.current || this.writing?.segment === segment || segment.durableBytes !== segment.endBytes;
    if (!waiting) segment.markSealed();
  }

  /** The order has no holes: whatever was written after the last durable record is refused with it. */
  private syncFailed(segment: Segment, cause: unknown): void {
    const error = asDiskError(cause, 'make a landing segment durable');
    const groups = this.unsynced.splice(0);
    this.nextSequence = this.durableSequence + 1;
    for (const touched of new Set([segment, ...groups.map((group) => group.segment), ...(this.writing ? [this.writing.segment] : [])])) {
      touched.poisoned = true;
      if (this.current === touched) this.current = undefined;
      touched.endBytes = touched.durableBytes;
      touched.markSealed();
      this.cut(touched);
    }
    for (const group of groups) this.refuse(group.records, error);
  }

  private cut(segment: Segment): void {
    try {
      this.options.disk.truncate(segment.descriptor, segment.durableBytes);
    } catch {
      // The device is failing; that records of a later generation bear the same sequences voids them as well.
    }
  }

  private landed(group: RecordGroup): LandedRecord[] {
    const { segment } = group;
    return group.records.map((record, at) => {
      const offset = group.offsets[at]!;
      const object = record.stream ?? segment;
      return {
        position: { generation: segment.generation, offset },
        receipt: record.receipt,
        place: {
          tier: LANDING_TIER,
          key: object.key,
          offset: record.stream ? HEAD_BYTES : offset + HEAD_BYTES,
          length: record.stream ? record.stream.objectBytes : record.objectBytes,
        },
      };
    });
  }

  private refuse(records: readonly PendingRecord[], error: Error): void {
    for (const record of records) record.reject(error);
  }
}

function deviceError(file: string): UnavailableError {
  return new UnavailableError('The disk failed while an object was landed.', { details: { file }, remedy: 'Look at the disk and the log of the system.' });
}
