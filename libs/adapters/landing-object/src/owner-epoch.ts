// Who owns a landing area. A take-over creates the next epoch and lists the area only then. Epochs are a chain without gaps, so an owner that
// finds no next one after a PUT knows: whoever takes over will list later, and find what it put.
import { AlreadyExistsError, ConflictError } from '@perennia/errors';
import type { ObjectStore } from '@perennia/storage';
import type { LandingKeys } from './landing-keys.js';

const MAX_RACES = 100;
/**
 * So many epochs are kept. An epoch that is removed could be created once more by a process that stood still since it listed them, or be missed
 * by its owner's check: both would have to sleep through so many take-overs.
 */
const EPOCHS_KEPT = 1000;

export class OwnerEpoch {
  private constructor(private readonly store: ObjectStore, private readonly keys: LandingKeys, readonly number: number) {}

  /** @throws ConflictError when others take over at the same time again and again */
  static async claim(store: ObjectStore, keys: LandingKeys): Promise<OwnerEpoch> {
    for (let race = 0; race < MAX_RACES; race++) {
      const known: number[] = [];
      for await (const { key } of store.list(`${keys.prefix}epoch/`)) known.push(keys.parseEpoch(key) ?? 0);
      const number = (known.at(-1) ?? 0) + 1;
      try {
        await (await store.create(keys.epoch(number), 0)).commit();
      } catch (error) {
        if (error instanceof AlreadyExistsError) continue;
        throw error;
      }
      for (const old of known.slice(0, -EPOCHS_KEPT)) await store.delete(keys.epoch(old));
      return new OwnerEpoch(store, keys, number);
    }
    throw new ConflictError('Too many processes take over this landing area at once.', { remedy: 'Give each process an owner name of its own.' });
  }

  /** @throws ConflictError when another process has taken over */
  async assertMine(): Promise<void> {
    if (!(await this.store.head(this.keys.epoch(this.number + 1)))) return;
    throw new ConflictError('Another process has taken over this landing area.', { details: { epoch: this.number }, remedy: 'Give each process an owner name of its own, and start this one again.' });
  }
}
