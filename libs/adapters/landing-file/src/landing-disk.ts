// The calls of the file system that decide about durability, in one seam: tests make them slow, short or failing here.
import { fdatasync, fdatasyncSync, ftruncateSync, statfs, writeSync, writev } from 'node:fs';
import { promisify } from 'node:util';
import { mutant } from '@perennia/fault-points';
import { usedShare } from '@perennia/storage';

const fileSystemOf = promisify(statfs);

export class LandingDisk {
  /** Resolves to the number of bytes written. */
  writev(descriptor: number, buffers: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      writev(descriptor, buffers as Uint8Array[], position, (error, written) => (error ? reject(error) : resolve(written)));
    });
  }

  /** For small groups: the copy into the page cache takes less time than a trip to another thread. */
  writeSync(descriptor: number, bytes: Uint8Array, position: number): number {
    return writeSync(descriptor, bytes, 0, bytes.length, position);
  }

  fdatasync(descriptor: number): Promise<void> {
    if (mutant('skip-fdatasync')) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve, reject) => {
      fdatasync(descriptor, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The same by the calling thread. */
  fdatasyncSync(descriptor: number): void {
    if (!mutant('skip-fdatasync')) fdatasyncSync(descriptor);
  }

  truncate(descriptor: number, sizeBytes: number): void {
    ftruncateSync(descriptor, sizeBytes);
  }

  async freeBytes(folder: string): Promise<number> {
    const found = await fileSystemOf(folder);
    return found.bavail * found.bsize;
  }

  /** 0 to 1. */
  async usedShare(folder: string): Promise<number> {
    return usedShare(await fileSystemOf(folder));
  }
}
