// Files of objects that are read again and again stay open for a while: opening, looking and closing cost three trips to another thread
// for each read. Objects never change, so that an open file is as good as its name; one that is removed meanwhile is let go soon.
import { close, constants, fstat, open } from 'node:fs';
import { promisify } from 'node:util';
import { NotFoundError } from '@perennia/errors';
import { asDiskError } from '@perennia/storage';

const openFile = promisify(open);
const statFile = promisify(fstat);
const MAX_OPEN = 64;
const IDLE_MS = 5000;

export interface OpenObject {
  readonly descriptor: number;
  readonly sizeBytes: number;
}

class Entry {
  users = 0;
  forgotten = false;
  lastUsedMs = 0;
  constructor(readonly opened: Promise<OpenObject>) {}
}

export class OpenObjects {
  /** By file, the least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private sweeper: NodeJS.Timeout | undefined;

  /** Gives `work` the open file. @throws NotFoundError */
  async use<T>(file: string, key: string, work: (object: OpenObject) => Promise<T>): Promise<T> {
    const entry = this.take(file, key);
    entry.users += 1;
    try {
      return await work(await entry.opened);
    } catch (error) {
      if (error instanceof NotFoundError) this.forget(file);
      throw error;
    } finally {
      entry.users -= 1;
      entry.lastUsedMs = performance.now();
      if (entry.forgotten && entry.users === 0) closeEntry(entry);
    }
  }

  forget(file: string): void {
    const entry = this.entries.get(file);
    if (!entry) return;
    this.entries.delete(file);
    entry.forgotten = true;
    if (entry.users === 0) closeEntry(entry);
  }

  close(): void {
    clearInterval(this.sweeper);
    this.sweeper = undefined;
    for (const file of this.entries.keys()) this.forget(file);
  }

  private take(file: string, key: string): Entry {
    let entry = this.entries.get(file);
    if (entry) this.entries.delete(file);
    else entry = new Entry(openObject(file, key));
    this.entries.set(file, entry);
    if (this.entries.size > MAX_OPEN) this.forget(this.entries.keys().next().value!);
    this.sweeper ??= setInterval(() => this.sweep(), IDLE_MS).unref();
    return entry;
  }

  private sweep(): void {
    const before = performance.now() - IDLE_MS;
    for (const [file, entry] of this.entries) if (entry.users === 0 && entry.lastUsedMs < before) this.forget(file);
    if (this.entries.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }
}

async function openObject(file: string, key: string): Promise<OpenObject> {
  try {
    const descriptor = await openFile(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    return { descriptor, sizeBytes: (await statFile(descriptor)).size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotFoundError('There is no object of that name.', { details: { key } });
    throw asDiskError(error, 'open an object');
  }
}

function closeEntry({ opened }: Entry): void {
  opened.then(({ descriptor }) => close(descriptor), () => undefined);
}
