// Keeps two processes from writing one area. Node has no advisory locks, so the lock is a chain of files `owner.lock.<n>`: who creates
// n+1 by a hard link holds the area, the highest n counts, and the highest is never removed. A second comer who read an old state either
// fails to create its file or sees a higher one afterwards and withdraws.
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ConflictError } from '@perennia/errors';
import { isProcessAlive, processIdentity } from '@perennia/storage';

const NAME = /^owner\.lock\.(\d+)$/;
const RELEASED = 'released';

export class AreaLock {
  private constructor(
    private readonly folder: string,
    private readonly number: number,
  ) {}

  /** @throws ConflictError when a living process holds the area */
  static acquire(folder: string): AreaLock {
    for (;;) {
      const highest = highestLock(folder);
      if (highest > 0) assertHolderGone(folder, highest);
      if (!create(folder, highest + 1, processIdentity())) continue;
      if (highestLock(folder) !== highest + 1) {
        rmSync(join(folder, `owner.lock.${highest + 1}`));
        continue;
      }
      removeBelow(folder, highest + 1);
      return new AreaLock(folder, highest + 1);
    }
  }

  release(): void {
    if (create(this.folder, this.number + 1, RELEASED)) removeBelow(this.folder, this.number + 1);
  }
}

function locks(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => NAME.exec(name)?.slice(1).map(Number) ?? []);
}

function highestLock(folder: string): number {
  return Math.max(0, ...locks(folder));
}

function assertHolderGone(folder: string, number: number): void {
  let holder: string;
  try {
    holder = readFileSync(join(folder, `owner.lock.${number}`), 'latin1').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // A higher one has come: the creation below fails or is withdrawn.
    throw error;
  }
  if (holder === RELEASED || !isProcessAlive(holder)) return;
  throw new ConflictError(`The landing area ${folder} is in use by the process ${holder.split('.')[0]}.`, {
    remedy: 'Stop that process, or give this one a data folder of its own.',
  });
}

/** Creates the lock with its content in one step; false when the number is taken. */
function create(folder: string, number: number, content: string): boolean {
  const temporary = join(folder, `owner.new.${randomUUID()}`);
  const descriptor = openSync(temporary, 'wx');
  try {
    writeSync(descriptor, `${content}\n`);
    fsyncSync(descriptor);
    linkSync(temporary, join(folder, `owner.lock.${number}`));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    closeSync(descriptor);
    rmSync(temporary, { force: true });
  }
}

function removeBelow(folder: string, number: number): void {
  for (const lower of locks(folder)) if (lower < number) rmSync(join(folder, `owner.lock.${lower}`), { force: true });
}
