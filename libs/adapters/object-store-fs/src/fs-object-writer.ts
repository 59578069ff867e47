// Writes one object: a temporary file in the final folder, past the page cache where the file system allows (buffered packs of a growing
// archive halved the rate of reception), fsync, a link that never overwrites, folder sync. The object appears whole or not at all.
import { close, constants, fsync, ftruncate, open, write } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AlreadyExistsError, type ArchiveError, IllegalStateError, StoreFullError } from '@perennia/errors';
import { mutant } from '@perennia/fault-points';
import { type FolderSync, type ObjectInfo, type ObjectWriter, asDiskError, type AlignedBuffers, BLOCK_BYTES } from '@perennia/storage';
import type { ObjectPath } from './object-path.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);
const syncFile = promisify(fsync);
const truncateFile = promisify(ftruncate);

export class FsObjectWriter implements ObjectWriter {
  private filling: Buffer | undefined;
  private filled = 0;
  private position = 0;
  private sizeBytes = 0;
  private flushing: Promise<void> = Promise.resolve();
  private failure: ArchiveError | undefined;
  private state: 'open' | 'finishing' | 'done' = 'open';

  private constructor(
    private readonly key: string,
    private readonly path: ObjectPath,
    private readonly temporary: string,
    private readonly descriptor: number,
    private readonly buffers: AlignedBuffers,
    private readonly folders: FolderSync,
  ) {}

  static async create(key: string, path: ObjectPath, temporary: string, buffers: AlignedBuffers, folders: FolderSync): Promise<FsObjectWriter> {
    const direct = buffers.direct ? constants.O_DIRECT : 0;
    try {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | direct;
      return new FsObjectWriter(key, path, temporary, await openFile(temporary, flags, 0o600), buffers, folders);
    } catch (error) {
      throw asDiskError(error, 'create an object');
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.assertOpen();
    for (let at = 0; at < chunk.length; ) {
      if (this.failure) throw this.failure;
      this.filling ??= this.buffers.take();
      const part = chunk.subarray(at, at + this.filling.length - this.filled);
      this.filling.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled < this.filling.length) continue;
      await this.flushing;
      this.flush(this.filled);
    }
    this.sizeBytes += chunk.length;
  }

  async commit(): Promise<ObjectInfo> {
    this.assertOpen();
    this.state = 'finishing';
    try {
      await this.finish();
      await this.publish();
      return { key: this.key, sizeBytes: this.sizeBytes };
    } catch (error) {
      await rm(this.temporary, { force: true });
      if (error instanceof AlreadyExistsError) throw error;
      throw asDiskError(error, 'store an object');
    } finally {
      this.state = 'done';
    }
  }

  async abort(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'done';
    await this.flushing;
    if (this.filling) this.buffers.give(this.filling);
    await closeFile(this.descriptor);
    await rm(this.temporary, { force: true });
  }

  private async finish(): Promise<void> {
    try {
      if (this.filling) {
        const padded = Math.ceil(this.filled / BLOCK_BYTES) * BLOCK_BYTES;
        this.filling.fill(0, this.filled, padded);
        await this.flushing;
        this.flush(padded);
      }
      await this.flushing;
      if (this.failure) throw this.failure;
      if (this.position !== this.sizeBytes) await truncateFile(this.descriptor, this.sizeBytes);
      if (!mutant('skip-object-fsync')) await syncFile(this.descriptor);
    } finally {
      await closeFile(this.descriptor);
    }
  }

  private async publish(): Promise<void> {
    try {
      await link(this.temporary, this.path.file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new AlreadyExistsError('An object of that name exists and is never overwritten.', { details: { key: this.key } });
    }
    await rm(this.temporary);
    await this.folders.sync(this.path.folder);
  }

  private flush(lengthBytes: number): void {
    const buffer = this.filling!;
    const at = this.position;
    this.filling = undefined;
    this.filled = 0;
    this.position += lengthBytes;
    this.flushing = this.flushBuffer(buffer, lengthBytes, at);
  }

  private async flushBuffer(buffer: Buffer, lengthBytes: number, at: number): Promise<void> {
    try {
      if (this.failure) return;
      const { bytesWritten } = await writeFile(this.descriptor, buffer, 0, lengthBytes, at);
      if (bytesWritten !== lengthBytes) throw new StoreFullError('The disk took only a part of what was written.');
    } catch (error) {
      this.failure ??= asDiskError(error, 'write an object');
    } finally {
      this.buffers.give(buffer);
    }
  }

  private assertOpen(): void {
    if (this.failure) throw this.failure;
    if (this.state !== 'open') throw new IllegalStateError('The object is already finished.');
  }
}
