// Reads ranges of an instance from its best copy. A copy that moved is looked up again and read on from the same byte; one
// that cannot be read is marked suspect and the next is taken. Wrong bytes are never given out: the reader below refuses them.
import { createHash } from 'node:crypto';
import { ArchiveError, CancelledError, CorruptDataError, InvalidInputError, NotFoundError, PlaceMovedError, UnavailableError } from '@perennia/errors';
import type { PlaceReader } from '@perennia/storage';
import type { InstanceDirectory } from './instance-directory.js';
import { orderedWindow } from './ordered-window.js';
import type { StoredCopy, StoredInstance } from './stored-instance.js';

/** Bytes asked for at once when more is streamed: what a file store reads with one call, into one buffer. */
export const READ_BYTES = 512 * 1024;
const MAX_MOVES = 5;
const QUICKLY_PROVED_BYTES = 64 * 1024 * 1024;
const PROVEN = Promise.resolve();

export class ReadInstance {
  private readonly proofs = new WeakMap<StoredInstance, Promise<void>>();

  constructor(
    private readonly directory: InstanceDirectory,
    private readonly places: PlaceReader,
  ) {}

  /**
   * @param memory to read into where the store can; the answer is then part of it
   * @throws CorruptDataError when no copy can be read; UnavailableError when that may pass
   */
  async read(instance: StoredInstance, offset: number, length: number, memory?: Buffer): Promise<Buffer> {
    const failed = new Set<number>();
    for (let moves = 0; ; ) {
      const { copy } = instance;
      try {
        return await this.places.read(copy.place, offset, length, memory);
      } catch (error) {
        if (error instanceof PlaceMovedError && ++moves > MAX_MOVES) throw new UnavailableError('The bytes of the instance keep moving.', { cause: error });
        if (!(error instanceof PlaceMovedError)) await this.#giveUpOn(instance, copy, failed, error);
        instance.copy = await this.#next(instance, failed, error);
      }
    }
  }

  /**
   * Compares the bytes of the copy with their digest where nobody has done so for a while, and takes another copy when they differ.
   * @throws as `read`
   */
  prove(instance: StoredInstance): Promise<void> {
    if (!instance.copy.unproven) return PROVEN;
    let proving = this.proofs.get(instance);
    if (!proving) {
      proving = this.#prove(instance).finally(() => this.proofs.delete(instance));
      this.proofs.set(instance, proving);
    }
    return proving;
  }

  /** Before a part of it is given out, which must come soon: of a large object without proof. Its scrub finds what is wrong. */
  async proveIfQuick(instance: StoredInstance): Promise<void> {
    if (instance.objectLength <= QUICKLY_PROVED_BYTES) await this.prove(instance);
  }

  async #prove(instance: StoredInstance): Promise<void> {
    const failed = new Set<number>();
    for (let moves = 0; instance.copy.unproven; ) {
      const { copy } = instance;
      try {
        await this.#compare(copy, instance.copy.unproven);
        await this.directory.markProven(instance, copy);
        delete copy.unproven;
      } catch (error) {
        if (error instanceof PlaceMovedError && ++moves > MAX_MOVES) throw new UnavailableError('The bytes of the instance keep moving.', { cause: error });
        if (!(error instanceof PlaceMovedError)) await this.#giveUpOn(instance, copy, failed, error);
        instance.copy = await this.#next(instance, failed, error);
      }
    }
  }

  async #compare({ place }: StoredCopy, { sha256, from }: NonNullable<StoredCopy['unproven']>): Promise<void> {
    const hash = createHash('sha256');
    for await (const chunk of this.places.chunks(place, from, place.length - from)) hash.update(chunk);
    if (hash.digest('hex') !== sha256) throw new CorruptDataError('The bytes of a copy are not those that were stored.', { details: { tier: place.tier, key: place.key } });
  }

  /** The range in pieces of at most READ_BYTES, two of them read ahead. */
  stream(instance: StoredInstance, offset = 0, length = instance.objectLength): AsyncGenerator<Buffer, void, void> {
    return orderedWindow(cut(offset, length), 2, (piece) => this.read(instance, piece.offset, piece.length));
  }

  async #giveUpOn(instance: StoredInstance, copy: StoredCopy, failed: Set<number>, error: unknown): Promise<void> {
    if (error instanceof CancelledError) throw error;
    failed.add(copy.copyNumber);
    if (isDamage(error)) await this.directory.markSuspect(instance, copy);
  }

  async #next(instance: StoredInstance, failed: ReadonlySet<number>, cause: unknown): Promise<StoredCopy> {
    const copies = await this.directory.copies(instance);
    const next = copies.find(({ copyNumber }) => !failed.has(copyNumber));
    if (next) return next;
    if (cause instanceof ArchiveError && cause.retriable) throw cause;
    throw new CorruptDataError('No copy of the instance can be read.', { cause, remedy: 'Look at vna verify for this study; a repair needs another copy.' });
  }
}

/** What the bytes of a copy being wrong or gone looks like, unlike a store that does not answer. */
function isDamage(error: unknown): boolean {
  return error instanceof CorruptDataError || error instanceof NotFoundError || error instanceof InvalidInputError;
}

function* cut(offset: number, length: number): Generator<{ offset: number; length: number }> {
  for (let done = 0; done < length; done += READ_BYTES) yield { offset: offset + done, length: Math.min(READ_BYTES, length - done) };
}
