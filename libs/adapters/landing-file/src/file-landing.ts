// Landing on a local disk. `open` recovers what the last process of this owner left, then takes objects; `adopt` drains the area of an
// owner that will not come back. One area belongs to one process at a time.
import { closeSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IllegalStateError, InvalidInputError, NotFoundError, StoreFullError } from '@perennia/errors';
import {
  FolderSync, HEAD_BYTES, Landing, encodeReference, type LandedRecord, type LandingPosition, type LandingState, type LandingStream, type SealedSegment,
} from '@perennia/storage';
import { AreaLock } from './area-lock.js';
import { AreaRecovery, type RecoveredArea } from './area-recovery.js';
import { AreaState } from './area-state.js';
import { DiskLevel } from './disk-level.js';
import { type LandingOptions, type ResolvedLandingOptions, resolveLandingOptions } from './landing-options.js';
import { maxObjectBytes, type PendingRecord } from './record-group.js';
import { RecordLog } from './record-log.js';
import type { Segment } from './segment.js';
import { SegmentPool } from './segment-pool.js';
import { SegmentWriter } from './segment-writer.js';
import { StreamWriter } from './stream-writer.js';
import { TextSlab } from './text-slab.js';

/** Above it the pieces of one object are joined: a write takes about a thousand buffers. */
const MAX_PARTS = 256;

/** What the start found, for the log. */
export interface RecoverySummary {
  segments: number;
  objects: number;
  heldBytes: number;
  /** Records without an acknowledgement that were cut. */
  tornRecords: number;
  durationMs: number;
}

export class FileLanding extends Landing {
  override readonly headroomBytes = HEAD_BYTES;
  private readonly pool: SegmentPool;
  private readonly writer: SegmentWriter;
  private readonly log: RecordLog;
  private readonly diskLevel: DiskLevel;
  private readonly openStreams = new Set<StreamWriter>();
  private readonly texts = new TextSlab();
  private readonly recycling = new Set<Promise<void>>();
  private readonly closing = new AbortController();
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly options: ResolvedLandingOptions,
    private readonly draining: boolean,
    private readonly lock: AreaLock,
    private readonly area: AreaState,
    private readonly folders: FolderSync,
    found: RecoveredArea,
    readonly recovery: RecoverySummary,
  ) {
    super();
    this.pool = new SegmentPool(options, area, folders);
    this.diskLevel = new DiskLevel(options);
    this.log = new RecordLog(found.held, options.onDamage);
    for (const segment of found.held) this.pool.know(segment, false);
    for (const segment of found.free) this.pool.know(segment, true);
    for (const { segment } of found.streams) {
      segment.lastRecord = found.referenced.get(segment.generation);
      this.log.addStream(segment);
    }
    this.writer = new SegmentWriter(
      options,
      this.pool,
      {
        onOpened: (segment) => this.log.addSegment(segment),
        onDurable: (_segment, records) => this.log.landed(records),
      },
      found.lastSequence,
    );
  }

  /** @throws ConflictError when another process has the area, StoreFullError, CorruptDataError, ConfigurationError */
  static open(options: LandingOptions): Promise<FileLanding> {
    return FileLanding.start(options, false);
  }

  /**
   * Takes over the area of a dead owner to publish, file and release what it holds; nothing is appended. When all is released,
   * `close` removes the area. The places of its objects stay valid.
   */
  static adopt(options: LandingOptions): Promise<FileLanding> {
    return FileLanding.start(options, true);
  }

  private static async start(given: LandingOptions, draining: boolean): Promise<FileLanding> {
    const options = resolveLandingOptions(given);
    const began = options.clock.monotonicMs();
    const folders = new FolderSync();
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const lock = AreaLock.acquire(options.folder);
    try {
      const state = await AreaState.load(options.folder, folders);
      const found = await new AreaRecovery(options, state).run();
      await state.reserve(found.highestGeneration);
      for (const folder of [options.directory, dirname(options.directory)]) await folders.sync(folder);
      const segments = [...found.held, ...found.streams.map((stream) => stream.segment)];
      const landing = new FileLanding(options, draining, lock, state, folders, found, {
        segments: segments.length,
        objects: segments.reduce((sum, segment) => sum + segment.objects, 0),
        heldBytes: segments.reduce((sum, segment) => sum + segment.durableBytes, 0),
        tornRecords: found.tornRecords,
        durationMs: Math.round(options.clock.monotonicMs() - began),
      });
      if (!draining) {
        await landing.diskLevel.start();
        landing.pool.prepareAhead();
        landing.referAgain(found);
      }
      return landing;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  override memory(sizeBytes: number): Buffer {
    return this.writer.memory(sizeBytes);
  }

  async append(receipt: string, parts: readonly Uint8Array[], headroom?: Buffer): Promise<LandedRecord> {
    this.assertAppendable();
    const text = this.texts.put(receipt);
    const joined = parts.length > MAX_PARTS ? [Buffer.concat(parts)] : parts;
    const objectBytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (objectBytes > maxObjectBytes(this.options.segmentBytes, text.length)) {
      throw new InvalidInputError('The object is too large for a landing segment; it must be streamed.', { details: { objectBytes } });
    }
    return new Promise((resolve, reject) => {
      const inPlace = joined === parts && this.writer.isInPlace(headroom, objectBytes) ? headroom : undefined;
      this.writer.append({ kind: 'object', receipt: text, parts: joined, objectBytes, stream: undefined, headroom: inPlace, resolve, reject });
    });
  }

  async openStream(expectedBytes = 0): Promise<LandingStream> {
    this.assertAppendable();
    const freeBytes = await this.options.disk.freeBytes(this.options.folder);
    if (freeBytes < expectedBytes + this.options.reserveBytes) {
      throw new StoreFullError('The disk has no room for the object.', { details: { expectedBytes, freeBytes }, remedy: 'Free space on the disk.' });
    }
    const stream = new StreamWriter(
      this.options,
      this.folders,
      this.area.nextGeneration(),
      (segment, receipt) => this.refer(segment, receipt),
      (closed) => this.openStreams.delete(closed),
    );
    this.openStreams.add(stream);
    return stream;
  }

  recordsAfter(after: LandingPosition | null, limit: number): Promise<LandedRecord[]> {
    return this.log.recordsAfter(after, limit);
  }

  whenDurable(signal: AbortSignal): Promise<void> {
    return this.log.whenDurable(signal);
  }

  sealedSegments(): SealedSegment[] {
    return this.log.held().flatMap((segment) => segment.describe() ?? []);
  }

  seal(): Promise<void> {
    return this.writer.seal();
  }

  /** Releasing what was released before is no error. @throws IllegalStateError for a segment in use, NotFoundError for an unknown one */
  async release(generation: number): Promise<void> {
    const segment = this.log.find(generation);
    if (!segment) {
      if (generation < this.area.upcomingGeneration) return;
      throw new NotFoundError('There is no such landing segment.', { details: { generation } });
    }
    if (!segment.sealed) throw new IllegalStateError('A landing segment in use cannot be released.', { details: { generation } });
    if (segment.damaged) {
      this.log.remove(generation);
      return this.pool.discard(segment);
    }
    await this.area.release(segment.file, generation);
    this.log.remove(generation);
    const recycled = this.recycleAfterGrace(segment).finally(() => this.recycling.delete(recycled));
    this.recycling.add(recycled);
  }

  state(): LandingState {
    return {
      freeSegments: this.pool.freeSegments,
      totalSegments: this.pool.totalSegments,
      heldBytes: this.log.held().reduce((sum, segment) => sum + segment.durableBytes, 0),
    };
  }

  /** Everything appended before is durable afterwards; streams that were not committed are removed. */
  close(): Promise<void> {
    this.closed ??= this.shutDown();
    return this.closed;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.openStreams].map((stream) => stream.abort()));
    await this.writer.drained();
    this.closing.abort();
    await this.diskLevel.stop();
    await Promise.all(this.recycling);
    this.writer.close();
    await this.pool.close();
    const held = this.log.held();
    for (const segment of held) closeSync(segment.descriptor);
    this.lock.release();
    if (this.draining && held.length === 0) await rm(this.options.folder, { recursive: true });
  }

  /** Readers of the place that was just given up get a moment to finish. */
  private async recycleAfterGrace(segment: Segment): Promise<void> {
    await this.options.clock.sleep(this.options.graceMs, this.closing.signal);
    if (this.closing.signal.aborted && !this.draining) return closeSync(segment.descriptor);
    if (segment.kind === 'stream') {
      closeSync(segment.descriptor);
      await rm(join(this.options.folder, segment.file), { force: true });
      this.area.forget(segment.file);
      return;
    }
    if (this.draining) segment.poisoned = true;
    await this.pool.recycle(segment);
  }

  private refer(stream: Segment, receipt: string): Promise<LandedRecord> {
    this.log.addStream(stream);
    const reference = encodeReference({ generation: stream.generation, objectBytes: stream.objectBytes });
    return new Promise<LandedRecord>((resolve, reject) => {
      const record: PendingRecord = {
        kind: 'reference', receipt: Buffer.from(receipt), parts: [reference], objectBytes: reference.length, stream, headroom: undefined, resolve,
        reject: (error) => {
          this.log.remove(stream.generation);
          reject(error);
        },
      };
      this.writer.append(record);
    });
  }

  /** Large objects whose place in the log was recycled before they were released themselves get a new one. */
  private referAgain(found: RecoveredArea): void {
    for (const { segment, receipt } of found.streams) {
      if (found.referenced.has(segment.generation)) continue;
      this.refer(segment, receipt).catch(() => {
        this.log.addStream(segment);
        this.options.onDamage({
          file: segment.file, generation: segment.generation, offset: 0, what: 'no room to put a large object into the log again; the next start tries again',
        });
      });
    }
  }

  private assertAppendable(): void {
    if (this.closed) throw new IllegalStateError('The landing area is closed.');
    if (this.draining) throw new IllegalStateError('An adopted landing area takes no objects.');
    this.diskLevel.assertRoom();
  }
}
