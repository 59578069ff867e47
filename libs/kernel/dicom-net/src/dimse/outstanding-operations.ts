// How many of our operations may be unanswered at once, and which message ids they have (PS3.7 §D.3.3.3, §E.1).
import type { CommandSet } from './command-set.js';

/** Settled by its final answer or by the end of the association, exactly once. */
export interface OutstandingOperation {
  /** @param dataset of the answer; empty where none came */
  resolve(answer: CommandSet, dataset: Buffer): void;
  reject(error: Error): void;
  /** Of operations that have pending answers; the dataset follows where the answer says so. */
  pending?(answer: CommandSet): void;
  data?(bytes: Buffer): void;
  dataEnd?(): void;
}

export class OutstandingOperations<T> {
  readonly #byMessageId = new Map<number, T>();
  readonly #waiting: (() => void)[] = [];
  #lastMessageId = 0;
  #reserved = 0;
  #isOver = false;

  /** `limit` 0 means no limit but that of 16-bit message ids. */
  constructor(private readonly limit: number) {}

  /** Resolves when one more operation may be started, or none any more. Each reservation is used by `add`. */
  async reserve(): Promise<void> {
    const limit = this.limit === 0 ? 0x7fff : this.limit;
    while (!this.#isOver && this.#byMessageId.size + this.#reserved >= limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reserved++;
  }

  add(operation: T): number {
    this.#reserved--;
    do this.#lastMessageId = (this.#lastMessageId % 0xffff) + 1;
    while (this.#byMessageId.has(this.#lastMessageId));
    this.#byMessageId.set(this.#lastMessageId, operation);
    return this.#lastMessageId;
  }

  get(messageId: number): T | undefined {
    return this.#byMessageId.get(messageId);
  }

  take(messageId: number): T | undefined {
    const operation = this.#byMessageId.get(messageId);
    this.#byMessageId.delete(messageId);
    this.#waiting.shift()?.();
    return operation;
  }

  /** The association has ended: nobody waits any longer. */
  takeAll(): T[] {
    this.#isOver = true;
    const all = [...this.#byMessageId.values()];
    this.#byMessageId.clear();
    for (const go of this.#waiting.splice(0)) go();
    return all;
  }

  get size(): number {
    return this.#byMessageId.size;
  }
}
