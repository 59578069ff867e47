// Large groups go past the page cache: through it the same write costs twice the processor and, wherever its pages must be found first,
// several times the time. What stands on the boundaries of the device, in memory given out here, is written from where it stands; all else
// is copied into a buffer that is used again and again.
import { closeSync, constants, openSync, writev, writevSync } from 'node:fs';
import { AlignedBuffers, BLOCK_BYTES } from '@perennia/storage';
import type { Segment } from './segment.js';

const STAGING_BYTES = 4 * 1024 * 1024;

export class DirectStaging {
  private opened: { segment: Segment; descriptor: number } | undefined;
  private readonly staging: Buffer;
  /** Memory given out, and where in it boundaries are. */
  private readonly given = new Map<ArrayBufferLike, number>();

  private constructor(private readonly buffers: AlignedBuffers) {
    this.staging = buffers.allocate(STAGING_BYTES);
  }

  /** Undefined where the file system of the folder does not take O_DIRECT. */
  static forFolder(folder: string): DirectStaging | undefined {
    const buffers = AlignedBuffers.forFolder(folder, 1);
    return buffers.direct ? new DirectStaging(buffers) : undefined;
  }

  takes(sizeBytes: number): boolean {
    return sizeBytes <= this.staging.length;
  }

  /** It begins on a boundary. */
  memory(sizeBytes: number): Buffer {
    const memory = this.buffers.allocate(sizeBytes);
    this.given.set(memory.buffer, memory.byteOffset % BLOCK_BYTES);
    return memory;
  }

  /** Whether it begins on a boundary of memory that was given out here. */
  isAligned(bytes: Uint8Array): boolean {
    return this.given.get(bytes.buffer) === bytes.byteOffset % BLOCK_BYTES;
  }

  /** One at a time. @param position a multiple of 4 KiB, as is the length of all buffers. @returns the number of bytes written */
  write(segment: Segment, buffers: readonly Uint8Array[], position: number): Promise<number> {
    const pieces = this.layOut(buffers);
    const descriptor = this.descriptorOf(segment);
    return new Promise((resolve, reject) => {
      writev(descriptor, pieces, position, (error, written) => (error ? reject(error) : resolve(written)));
    });
  }

  /** The same by the calling thread. */
  writeSync(segment: Segment, buffers: readonly Uint8Array[], position: number): number {
    return writevSync(this.descriptorOf(segment), this.layOut(buffers), position);
  }

  /** The same bytes in pieces that begin and end on boundaries. */
  private layOut(buffers: readonly Uint8Array[]): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let copiedFrom = 0;
    let copied = 0;
    const endOfCopies = (): void => {
      if (copied > copiedFrom) pieces.push(this.staging.subarray(copiedFrom, copied));
      copiedFrom = copied;
    };
    for (const buffer of buffers) {
      const inPlace = copied % BLOCK_BYTES === 0 && this.isAligned(buffer) ? buffer.length - (buffer.length % BLOCK_BYTES) : 0;
      if (inPlace > 0) {
        endOfCopies();
        pieces.push(buffer.subarray(0, inPlace));
      }
      const rest = inPlace > 0 ? buffer.subarray(inPlace) : buffer;
      this.staging.set(rest, copied);
      copied += rest.length;
    }
    endOfCopies();
    return pieces;
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
