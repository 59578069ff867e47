// Large groups go past the page cache: one copy into a buffer that is used again and again, and the device takes it from there. Through
// the page cache the same write costs twice the processor and, wherever its pages must be found first, several times the time.
import { closeSync, constants, openSync, write, writeSync } from 'node:fs';
import { AlignedBuffers } from '@perennia/storage';
import type { Segment } from './segment.js';

const STAGING_BYTES = 4 * 1024 * 1024;

export class DirectStaging {
  private opened: { segment: Segment; descriptor: number } | undefined;

  private constructor(private readonly staging: Buffer) {}

  /** Undefined where the file system of the folder does not take O_DIRECT. */
  static forFolder(folder: string): DirectStaging | undefined {
    const buffers = AlignedBuffers.forFolder(folder, 1);
    return buffers.direct ? new DirectStaging(buffers.allocate(STAGING_BYTES)) : undefined;
  }

  takes(sizeBytes: number): boolean {
    return sizeBytes <= this.staging.length;
  }

  /** One at a time. @param position a multiple of 4 KiB, as is the length of all buffers. @returns the number of bytes written */
  write(segment: Segment, buffers: readonly Uint8Array[], position: number): Promise<number> {
    const length = this.fill(buffers);
    const descriptor = this.descriptorOf(segment);
    return new Promise((resolve, reject) => {
      write(descriptor, this.staging, 0, length, position, (error, written) => (error ? reject(error) : resolve(written)));
    });
  }

  /** The same by the calling thread. */
  writeSync(segment: Segment, buffers: readonly Uint8Array[], position: number): number {
    return writeSync(this.descriptorOf(segment), this.staging, 0, this.fill(buffers), position);
  }

  private fill(buffers: readonly Uint8Array[]): number {
    let length = 0;
    for (const buffer of buffers) {
      this.staging.set(buffer, length);
      length += buffer.length;
    }
    return length;
  }

  /** The file of the segment a second time, by the descriptor it is open under: its name may change meanwhile. */
  private descriptorOf(segment: Segment): number {
    if (this.opened?.segment === segment) return this.opened.descriptor;
    this.close();
    const descriptor = openSync(`/proc/self/fd/${segment.descriptor}`, constants.O_WRONLY | constants.O_DIRECT);
    this.opened = { segment, descriptor };
    return descriptor;
  }

  close(): void {
    if (this.opened) closeSync(this.opened.descriptor);
    this.opened = undefined;
  }
}
