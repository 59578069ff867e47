// A disk of its own for a part of the archive, so that it can be filled to the last block. Needs root.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 2 ** 20;

export class SmallDisk {
  private constructor(readonly path: string) {}

  /** In memory; the folder is made if need be, and what stood there is hidden while it lasts. */
  static mount(path: string, sizeMib: number): SmallDisk {
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=0755`, 'tmpfs', path]);
    return new SmallDisk(path);
  }

  get usedPercent(): number {
    const { blocks, bavail } = statfsSync(this.path);
    return (100 * (blocks - bavail)) / blocks;
  }

  /** To so many per cent; 100: until nothing more can be written. What others take or give back meanwhile is followed. */
  fill(percent = 100): void {
    const filler = openSync(join(this.path, 'filler'), 'a');
    try {
      for (let step = MIB; step >= 4096; step /= 4) {
        while (this.usedPercent < percent) writeSync(filler, Buffer.alloc(step, 1));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      if (percent < 100) throw error;
      this.fillRest(filler);
    } finally {
      closeSync(filler);
    }
  }

  free(): void {
    rmSync(join(this.path, 'filler'), { force: true });
  }

  /** Whoever still has files open there does not hold it up. */
  unmount(): void {
    execFileSync('umount', ['-l', this.path]);
  }

  private fillRest(filler: number): void {
    try {
      for (;;) writeSync(filler, Buffer.alloc(4096, 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}
