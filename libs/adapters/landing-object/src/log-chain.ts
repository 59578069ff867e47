// The numbers of the log, and who may write the next one. Objects are created one after the other by conditional PUT, so that an owner's next
// number is either free or was taken by whoever owns the area now: a take-over creates the next number itself, as a fence. Nothing else
// is asked before an answer. What makes it safe without clocks:
//   - The highest number is never removed, so that whoever lists, stands still, and then creates a number in the middle finds a higher one.
//   - A number whose PUT has failed is settled by a mark, never by other records: if they had come to be, and been published, filed and
//     removed behind a fence meanwhile, the mark in their place says nothing to anybody, and the next number is the fence.
//   - Fences are kept.
import { AlreadyExistsError, ConflictError, NotFoundError } from '@perennia/errors';
import type { ObjectStore } from '@perennia/storage';
import type { LandingKeys } from './landing-keys.js';
import { encodeEntry, FENCE_BYTES, MARK_BYTES, readEntry, type EntryHead } from './log-entry.js';

const MAX_RACES = 100;
/** A process would have to sleep through so many take-overs to create a fence again that was before its next number. */
const FENCES_KEPT = 1000;

export interface ListedEntry {
  number: number;
  sizeBytes: number;
}

export class LogChain {
  private isUncertain = false;
  private lost: ConflictError | undefined;
  private marks: number[] = [];

  private constructor(private readonly store: ObjectStore, private readonly keys: LandingKeys, readonly epoch: number, private last: number) {}

  /**
   * Takes the area over. Gives what is in the log: nothing is added by others from now on.
   * @throws ConflictError when others take over at the same time again and again
   */
  static async claim(store: ObjectStore, keys: LandingKeys): Promise<{ chain: LogChain; groups: ListedEntry[] }> {
    for (let race = 0; race < MAX_RACES; race++) {
      const found = await listLog(store, keys);
      const before = found.at(-1);
      const last = before && (await readEntry(store, keys, before.number).catch(unlessGone));
      if (before && !last) continue;
      const chain = new LogChain(store, keys, (last?.epoch ?? 0) + 1, (before?.number ?? 0) + 1);
      if (!(await chain.create('fence', chain.last))) continue;
      const entries = [...found, ...(await listLog(store, keys, before))];
      // A number in the middle that was free because what it held is released, or somebody came after us.
      if (entries.at(-1)?.number !== chain.last) continue;
      await chain.tidy(entries);
      return { chain, groups: entries.filter(({ sizeBytes }) => sizeBytes > MARK_BYTES) };
    }
    throw new ConflictError('Too many processes take over this landing area at once.', { remedy: 'Give each process an owner name of its own.' });
  }

  /** The number of the next object, once `settle` has resolved. */
  get next(): number {
    return this.last + 1;
  }
  get owned(): boolean {
    return this.lost === undefined;
  }

  /** @throws ConflictError when the area belongs to somebody else */
  assertOwned(): void {
    if (this.lost) throw this.lost;
  }

  created(number: number): void {
    this.last = number;
  }

  /** A PUT of the next number has failed, and may have succeeded. */
  failed(): void {
    this.isUncertain = true;
  }

  /**
   * Makes sure of the next number when a PUT of it has failed. Gives the head of what that PUT has put there after all.
   * @throws ConflictError when somebody has taken over; UnavailableError when it cannot be told yet
   */
  async settle(): Promise<EntryHead | undefined> {
    this.assertOwned();
    if (!this.isUncertain) return undefined;
    const number = this.next;
    const isFree = await this.create('mark', number);
    const found = isFree ? undefined : await readEntry(this.store, this.keys, number).catch(unlessGone);
    if (!isFree && (!found || found.kind === 'fence' || found.epoch !== this.epoch)) this.lose();
    if (found?.kind !== 'group') this.marks.push(number);
    this.isUncertain = false;
    this.last = number;
    return found?.kind === 'group' ? found : undefined;
  }

  /** Before the object of that number is removed: it is not the highest one. */
  async ensureFollowed(number: number): Promise<void> {
    if (this.last > number || this.lost) return;
    this.isUncertain = true;
    // Nothing was sent: what is found instead of a mark is a fence.
    await this.settle().catch((error: unknown) => {
      if (!this.lost) throw error;
    });
  }

  /** Marks that can be removed: something follows them. They are not told again. */
  takeMarks(): number[] {
    const old = this.marks.filter((number) => number < this.last);
    this.marks = this.marks.filter((number) => number >= this.last);
    return old;
  }

  private lose(): never {
    this.lost = new ConflictError('Another process has taken over this landing area.', {
      details: { epoch: this.epoch }, remedy: 'Give each process an owner name of its own, and start this one again.',
    });
    throw this.lost;
  }

  /** Whether the number was free. */
  private async create(kind: 'fence' | 'mark', number: number): Promise<boolean> {
    const bytes = encodeEntry({ kind, epoch: this.epoch, number, firstNumber: number, objects: 0, references: 0, objectsBefore: 0, referencesBefore: 0, lastAt: 0 });
    try {
      const writer = await this.store.create(this.keys.log(number), bytes.length);
      await writer.write(bytes);
      await writer.commit();
      return true;
    } catch (error) {
      if (error instanceof AlreadyExistsError) return false;
      throw error;
    }
  }

  private async tidy(entries: readonly ListedEntry[]): Promise<void> {
    const fences = entries.filter(({ sizeBytes }) => sizeBytes === FENCE_BYTES).slice(0, -FENCES_KEPT);
    const marks = entries.filter(({ sizeBytes }) => sizeBytes === MARK_BYTES);
    await this.store.deleteAll([...fences, ...marks].map(({ number }) => this.keys.log(number)));
  }
}

async function listLog(store: ObjectStore, keys: LandingKeys, after?: ListedEntry): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  for await (const { key, sizeBytes } of store.list(keys.logPrefix, after && keys.log(after.number))) {
    const number = keys.parseLog(key);
    if (number !== undefined) entries.push({ number, sizeBytes });
  }
  return entries;
}

function unlessGone(error: unknown): undefined {
  if (error instanceof NotFoundError) return undefined;
  throw error;
}
