// Buffers that the kernel takes for O_DIRECT. JavaScript sees no addresses, so the offset into a fresh allocation is found by trying it on
// a file. The pool is bounded; who comes when it is empty gets a small buffer of its own instead of waiting, because those who hold the
// others may be waiting for him.
import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

export const BLOCK_BYTES = 4096;
const LARGE_BYTES = 1024 * 1024;
const SMALL_BYTES = 64 * 1024;
const ADDRESS_STEP = 16;

export class AlignedBuffers {
  private readonly spare: Buffer[] = [];
  private made = 0;

  private constructor(
    private readonly probe: string,
    /** Whether the file system takes O_DIRECT at all. */
    readonly direct: boolean,
    private readonly limit: number,
  ) {}

  /** @param folder on the file system in question. @param limit large buffers that exist at most */
  static forFolder(folder: string, limit: number): AlignedBuffers {
    const probe = join(folder, `.probe-${randomUUID()}`);
    try {
      closeSync(openSync(probe, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DIRECT, 0o600));
      const buffers = new AlignedBuffers(probe, true, limit);
      buffers.give(buffers.take());
      return buffers;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      return new AlignedBuffers(probe, false, limit);
    } finally {
      rmSync(probe, { force: true });
    }
  }

  take(): Buffer {
    const spare = this.spare.pop();
    if (spare) return spare;
    if (this.made >= this.limit) return this.allocate(SMALL_BYTES);
    this.made += 1;
    return this.allocate(LARGE_BYTES);
  }

  give(buffer: Buffer): void {
    if (buffer.length === LARGE_BYTES) this.spare.push(buffer);
  }

  /** A buffer outside the pool, for whoever keeps it. */
  allocate(sizeBytes: number): Buffer {
    if (!this.direct) return Buffer.allocUnsafeSlow(sizeBytes);
    const raw = Buffer.allocUnsafeSlow(sizeBytes + BLOCK_BYTES);
    const descriptor = openSync(this.probe, constants.O_WRONLY | constants.O_CREAT | constants.O_DIRECT, 0o600);
    try {
      for (let offset = 0; offset < BLOCK_BYTES; offset += ADDRESS_STEP) {
        if (accepts(descriptor, raw, offset)) return raw.subarray(offset, offset + sizeBytes);
      }
    } finally {
      closeSync(descriptor);
      rmSync(this.probe, { force: true });
    }
    throw Object.assign(new Error('No offset of a buffer is taken for direct writing.'), { code: 'EINVAL' });
  }
}

function accepts(descriptor: number, raw: Buffer, offset: number): boolean {
  try {
    return writeSync(descriptor, raw, offset, BLOCK_BYTES, 0) === BLOCK_BYTES;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return false;
    throw error;
  }
}
