// Keeps segments ready. Filled with zeros in the background, because a segment that has its blocks needs no journal at each sync (one
// association: 839 instead of 675 CT/s); one that is needed before it is ready is created without blocks rather than waited for.
// When all are held, more are created while the disk has room; then appends wait a little, and then they are refused.
import { closeSync, constants, openSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveError, StoreFullError } from '@perennia/errors';
import { AlignedBuffers, type FolderSync, asDiskError } from '@perennia/storage';
import type { AreaState } from './area-state.js';
import type { ResolvedLandingOptions } from './landing-options.js';
import { Segment } from './segment.js';

const FILL_BYTES = 512 * 1024;
/** Segments that are kept free ahead of the writer. */
const AHEAD = 6;
/**
 * Something is received while the last write is not longer ago than this. Then filling takes a third of the device's time at most, and next to
 * nothing while enough segments are ready: every sync of a small object would wait a little for the zeros under way.
 */
const QUIET_MS = 20;
const REST_WHILE_BUSY = 2;
const ENOUGH_READY = 3;
const UNHURRIED_REST_MS = 10;
/** Share of all segments in use above which the next is given out late. */
const BRAKE_FROM = 0.75;

interface Waiter {
  resolve(segment: Segment): void;
  reject(error: Error): void;
}

export class SegmentPool {
  private readonly free: Segment[] = [];
  private readonly closing = new AbortController();
  private total = 0;
  private beingMade = 0;
  private nextNumber = 0;
  private waiter: Waiter | undefined;
  private preparing: Promise<void> | undefined;
  private filling: { bytes: Buffer; direct: boolean } | undefined;
  private usedMs = 0;
  /** The last wait was in vain: until something changes, nobody waits again. */
  private exhausted = false;

  constructor(
    private readonly options: ResolvedLandingOptions,
    private readonly state: AreaState,
    private readonly folders: FolderSync,
  ) {}

  get freeSegments(): number {
    return this.free.length + Math.max(0, this.options.segments - this.total);
  }

  get totalSegments(): number {
    return Math.max(this.options.segments, this.total);
  }

  /** Something is being written. */
  used(): void {
    this.usedMs = this.options.clock.monotonicMs();
  }

  /** A segment found at the start, free or held. */
  know(segment: Segment, free: boolean): void {
    this.total += 1;
    this.nextNumber = Math.max(this.nextNumber, Number(segment.file.slice('seg-'.length)) + 1);
    if (free) this.free.push(segment);
  }

  /**
   * A segment with a new generation, the later the fewer are left: who sends is slowed down to the speed of filing, instead of standing
   * still when all are held. @throws StoreFullError when there is none and none can be had in time
   */
  async acquire(): Promise<Segment> {
    const brakeMs = this.brakeMs();
    if (brakeMs > 0) await this.options.clock.sleep(brakeMs, this.closing.signal);
    const segment = this.free.pop() ?? (await this.grow());
    segment.begin(this.state.nextGeneration());
    this.prepareAhead();
    return segment;
  }

  private brakeMs(): number {
    const held = this.total - this.beingMade - this.free.length;
    const { maxSegments, waitForSegmentMs } = this.options;
    return Math.max(0, held / maxSegments - BRAKE_FROM) * waitForSegmentMs;
  }

  /** Gives a released segment back: one that has its blocks is worth keeping as long as the next are not ready. */
  async recycle(segment: Segment): Promise<void> {
    const isSuperfluous = this.total > this.options.segments && this.free.length >= AHEAD;
    if (segment.poisoned || segment.damaged || isSuperfluous) return this.discard(segment);
    this.offer(segment);
  }

  /** Removes the file; one with damage is kept, durably, under another name. */
  async discard(segment: Segment): Promise<void> {
    const path = join(this.options.folder, segment.file);
    this.total -= 1;
    closeSync(segment.descriptor);
    this.state.forget(segment.file);
    if (segment.damaged) await rename(path, `${path}.damaged-${segment.generation}`);
    else await rm(path, { force: true });
    await this.folders.sync(this.options.folder);
  }

  /** Fills segments in the background until enough are ready. */
  prepareAhead(): void {
    this.preparing ??= this.prepare().finally(() => {
      this.preparing = undefined;
    });
  }

  private async prepare(): Promise<void> {
    try {
      while (!this.closing.signal.aborted && this.free.length < AHEAD && this.total < this.options.maxSegments) this.offer(await this.create(true));
    } catch (error) {
      // A full disk is met again, and reported, by the append that needs the segment.
      if (!(error instanceof ArchiveError)) throw error;
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.waiter?.reject(new StoreFullError('The landing area is being closed.'));
    await this.preparing;
    for (const segment of this.free) closeSync(segment.descriptor);
  }

  private offer(segment: Segment): void {
    this.exhausted = false;
    if (this.waiter) this.waiter.resolve(segment);
    else if (this.closing.signal.aborted) closeSync(segment.descriptor);
    else this.free.push(segment);
  }

  private async grow(): Promise<Segment> {
    if (this.total < this.options.maxSegments) {
      const created = await this.create(false).catch((error: unknown) => {
        if (error instanceof StoreFullError) return undefined;
        throw error;
      });
      if (created) {
        this.exhausted = false;
        return created;
      }
    }
    if (this.exhausted) throw this.full();
    return this.wait();
  }

  private wait(): Promise<Segment> {
    return new Promise<Segment>((resolve, reject) => {
      const waited = new AbortController();
      const settle = (): void => {
        this.waiter = undefined;
        waited.abort();
      };
      this.waiter = {
        resolve: (segment) => (settle(), resolve(segment)),
        reject: (error) => (settle(), reject(error)),
      };
      void this.giveUp(waited.signal);
    });
  }

  private async giveUp(waited: AbortSignal): Promise<void> {
    await this.options.clock.sleep(this.options.waitForSegmentMs, waited);
    if (waited.aborted) return;
    this.exhausted = true;
    this.waiter?.reject(this.full());
  }

  private full(): StoreFullError {
    return new StoreFullError('The landing area is full: no segment is free.', {
      details: { totalSegments: this.total, segmentBytes: this.options.segmentBytes },
      remedy: 'Filing must catch up, or the disk needs room; it goes on by itself.',
    });
  }

  /** @throws StoreFullError when the disk has no room for it, or the area is being closed */
  private async create(filled: boolean): Promise<Segment> {
    const { folder, segmentBytes, reserveBytes, disk, owner } = this.options;
    const file = `seg-${String(this.nextNumber++).padStart(4, '0')}`;
    this.total += 1;
    this.beingMade += 1;
    const temporary = join(folder, `${file}.new`);
    try {
      // What is filled ahead never takes the last room.
      if ((await disk.freeBytes(folder)) < (filled ? 2 : 1) * segmentBytes + reserveBytes) throw new StoreFullError('No room for another landing segment.');
      const zeros = filled ? this.zeros() : undefined;
      const handle = await open(temporary, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (zeros?.direct ? constants.O_DIRECT : 0), 0o600);
      try {
        if (zeros) await this.fill(handle, zeros.bytes);
        else await handle.truncate(segmentBytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, join(folder, file));
      await this.folders.sync(folder);
      return new Segment('log', owner, file, openSync(join(folder, file), constants.O_RDWR));
    } catch (error) {
      this.total -= 1;
      await rm(temporary, { force: true });
      throw asDiskError(error, 'prepare a landing segment');
    } finally {
      this.beingMade -= 1;
    }
  }

  /** Past the page cache where that can be: filling must not take the processor from reception. */
  private zeros(): { bytes: Buffer; direct: boolean } {
    if (!this.filling) {
      const sizeBytes = Math.min(FILL_BYTES, this.options.segmentBytes);
      const buffers = this.options.direct ? AlignedBuffers.forFolder(this.options.folder, 1) : undefined;
      this.filling = { bytes: buffers ? buffers.allocate(sizeBytes).fill(0) : Buffer.alloc(sizeBytes), direct: buffers?.direct ?? false };
    }
    return this.filling;
  }

  private async fill(handle: FileHandle, zeros: Buffer): Promise<void> {
    const { clock, segmentBytes } = this.options;
    for (let at = 0; at < segmentBytes; at += zeros.length) {
      if (this.closing.signal.aborted) throw new StoreFullError('The landing area is being closed.');
      const beganMs = clock.monotonicMs();
      await handle.write(zeros, 0, Math.min(zeros.length, segmentBytes - at), at);
      await this.leaveRoom(clock.monotonicMs() - beganMs);
    }
  }

  /** While something is received, unless somebody waits for this very segment. */
  private async leaveRoom(workedMs: number): Promise<void> {
    const { clock } = this.options;
    const isBusy = this.usedMs !== 0 && clock.monotonicMs() < this.usedMs + QUIET_MS;
    if (!isBusy || this.waiter) return;
    await clock.sleep(Math.max(this.free.length >= ENOUGH_READY ? UNHURRIED_REST_MS : 1, REST_WHILE_BUSY * workedMs), this.closing.signal);
  }
}
