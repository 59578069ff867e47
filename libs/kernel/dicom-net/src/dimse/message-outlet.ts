// Messages leave one after the other: fragments of two are never mixed (PS3.8 Annex E). What is whole leaves at once, or behind the message
// that is being written piece by piece.
import type { DataSender } from './message-writer.js';

export class MessageOutlet implements DataSender {
  #turns: Promise<void> = Promise.resolve();
  #isWriting = false;
  #behind: Buffer[] = [];

  constructor(private readonly sender: DataSender) {}

  get canSend(): boolean {
    return this.sender.canSend;
  }

  /** Whole messages. False: wait for `drained` before more of them. */
  sendParts(parts: readonly Buffer[]): boolean {
    if (!this.#isWriting) return this.sender.sendParts(parts);
    this.#behind.push(...parts);
    return false;
  }

  async drained(): Promise<void> {
    await this.written();
    await this.sender.drained();
  }

  /** Gives `write` the sender when it is its turn, until it settles. Rejects as it does. */
  write(write: (sender: DataSender) => Promise<void> | void): Promise<void> {
    const written = this.#turns.then(() => this.#write(write));
    this.#turns = written.catch(() => undefined);
    return written;
  }

  /** All that was begun. */
  written(): Promise<void> {
    return this.#turns;
  }

  async #write(write: (sender: DataSender) => Promise<void> | void): Promise<void> {
    this.#isWriting = true;
    try {
      await write(this.sender);
    } finally {
      this.#isWriting = false;
      const behind = this.#behind;
      this.#behind = [];
      if (behind.length > 0) this.sender.sendParts(behind);
    }
  }
}
