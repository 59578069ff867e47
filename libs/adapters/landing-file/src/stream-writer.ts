// Receives one large object into a file of its own. Memory is three buffers whatever the object's size: one is filled, one may be full
// and one is being written. It is synced on the way, so that the last sync, for which the sender waits, is short. Under its final name the file is whole.
import { closeSync, constants, openSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type ArchiveError, IllegalStateError, StoreFullError } from '@perennia/errors';
import { faultPoint } from '@perennia/fault-points';
import {
  GUARDED_PREFIX_BYTES, HEAD_BYTES, type FolderSync, type LandedRecord, type LandingStream, asDiskError, encodeFooter, encodeHead, recordBytes,
} from '@perennia/storage';
import type { ResolvedLandingOptions } from './landing-options.js';
import { Segment } from './segment.js';

const BUFFER_BYTES = 256 * 1024;
const BUFFERS = 3;
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

export class StreamWriter implements LandingStream {
  private readonly segment: Segment;
  private readonly path: string;
  /** The one that is being filled comes first, then the one that has been idle for the longest. */
  private readonly buffers: Buffer[] = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(BUFFER_BYTES));
  private filled = 0;
  private position = HEAD_BYTES;
  private objectBytes = 0;
  private prefixCrc = 0;
  private unsyncedBytes = 0;
  /** All that was handed to the disk so far, and all but the last of it. */
  private flushing: Promise<void> = Promise.resolve();
  private flushedBefore: Promise<void> = Promise.resolve();
  private failure: ArchiveError | undefined;
  private state: 'open' | 'committing' | 'done' = 'open';

  /** @param refer appends the reference that gives the object its place in the log */
  constructor(
    private readonly options: ResolvedLandingOptions,
    private readonly folders: FolderSync,
    generation: number,
    private readonly refer: (stream: Segment, receipt: string) => Promise<LandedRecord>,
    private readonly onClosed: (stream: StreamWriter) => void,
  ) {
    const file = `stream-${generation}`;
    this.path = join(options.folder, file);
    try {
      faultPoint('K6');
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      this.segment = new Segment('stream', options.owner, file, openSync(`${this.path}.open`, flags, 0o600));
    } catch (error) {
      throw asDiskError(error, 'create the file of a large object');
    }
    this.segment.begin(generation);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.assertOpen();
    if (this.objectBytes < GUARDED_PREFIX_BYTES) {
      this.prefixCrc = crc32(chunk.subarray(0, GUARDED_PREFIX_BYTES - this.objectBytes), this.prefixCrc);
    }
    this.objectBytes += chunk.length;
    await this.put(chunk);
  }

  async commit(receipt: string): Promise<LandedRecord> {
    this.assertOpen();
    this.state = 'committing';
    try {
      await this.finish(Buffer.from(receipt));
      return await this.refer(this.segment, receipt);
    } catch (error) {
      await this.remove(this.path);
      throw asDiskError(error, 'land a large object');
    } finally {
      this.state = 'done';
      this.onClosed(this);
    }
  }

  async abort(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'done';
    await this.flushing;
    await this.remove(`${this.path}.open`);
    this.onClosed(this);
  }

  private async finish(receipt: Buffer): Promise<void> {
    const { segment } = this;
    const head = encodeHead({
      kind: 'object', generation: segment.generation, sequence: 0, durableSequence: 0, objectBytes: this.objectBytes,
      nextBytes: recordBytes(this.objectBytes, receipt.length), receiptBytes: receipt.length, receiptCrc: crc32(receipt),
    });
    await this.put(receipt);
    await this.put(encodeFooter(head, this.prefixCrc));
    this.flush();
    await this.flushing;
    if (this.failure) throw this.failure;
    await this.writeAll(head, 0);
    faultPoint('K7');
    await this.options.disk.fdatasync(segment.descriptor);
    faultPoint('K8');
    await rename(`${this.path}.open`, this.path);
    await this.folders.sync(this.options.folder);
    segment.objectBytes = this.objectBytes;
    segment.objects = 1;
    segment.endBytes = recordBytes(this.objectBytes, receipt.length);
    segment.durableBytes = segment.endBytes;
    segment.markSealed();
  }

  /** What fits the buffer in use and the next is copied before this returns. */
  private async put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.failure) throw this.failure;
      const part = bytes.subarray(at, at + BUFFER_BYTES - this.filled);
      this.buffers[0]!.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled < BUFFER_BYTES) continue;
      this.flush();
      const left = bytes.subarray(at);
      if (left.length < BUFFER_BYTES) this.takeRest(left);
      // Of the three at most one is written and one waits when the next chunk comes.
      await this.flushedBefore;
      if (left.length < BUFFER_BYTES) break;
    }
    if (this.failure) throw this.failure;
  }

  private takeRest(bytes: Uint8Array): void {
    this.buffers[0]!.set(bytes, 0);
    this.filled = bytes.length;
  }

  private flush(): void {
    const buffer = this.buffers.shift()!;
    this.buffers.push(buffer);
    const bytes = buffer.subarray(0, this.filled);
    const at = this.position;
    const before = (this.flushedBefore = this.flushing);
    this.position += bytes.length;
    this.filled = 0;
    this.flushing = before.then(() => this.writeAndSync(bytes, at)).catch((error: unknown) => {
      this.failure ??= asDiskError(error, 'write a large object');
    });
  }

  private async writeAndSync(bytes: Buffer, at: number): Promise<void> {
    if (this.failure) return;
    await this.writeAll(bytes, at);
    this.unsyncedBytes += bytes.length;
    if (this.unsyncedBytes < SYNC_EVERY_BYTES) return;
    this.unsyncedBytes = 0;
    await this.options.disk.fdatasync(this.segment.descriptor);
  }

  private async writeAll(bytes: Buffer, at: number): Promise<void> {
    const written = await this.options.disk.writev(this.segment.descriptor, [bytes], at);
    if (written !== bytes.length) throw new StoreFullError('The disk took only a part of what was written.');
  }

  /** Leaves nothing behind; a file that cannot be removed now is removed at the next start. */
  private async remove(path: string): Promise<void> {
    closeSync(this.segment.descriptor);
    await rm(path, { force: true });
    await rm(`${this.path}.open`, { force: true });
    await this.folders.sync(this.options.folder);
  }

  private assertOpen(): void {
    if (this.failure) throw this.failure;
    if (this.state !== 'open') throw new IllegalStateError('The large object is already finished.');
  }
}
