// Answers in the order of the requests, however the work finishes (with a window of one the standard demands it, with a
// larger one it allows it; PS3.7 §D.3.3.3). What is ready together leaves in one write.

export interface PendingResponse {
  readonly messageId: number;
  response: Buffer | null;
}

export class ResponseQueue {
  readonly #pending: PendingResponse[] = [];

  get length(): number {
    return this.#pending.length;
  }

  has(messageId: number): boolean {
    for (const pending of this.#pending) if (pending.messageId === messageId) return true;
    return false;
  }

  add(messageId: number): PendingResponse {
    const pending: PendingResponse = { messageId, response: null };
    this.#pending.push(pending);
    return pending;
  }

  /** Takes out the operation that was added last: its answers go another way. */
  withdrawLast(): void {
    this.#pending.pop();
  }

  /** Everything that may leave now, or null. */
  takeReady(): Buffer | null {
    const first = this.#pending[0]?.response ?? null;
    if (first === null) return null;
    this.#pending.shift();
    if (!this.#pending[0]?.response) return first;
    const ready = [first];
    for (let next = this.#pending[0]; next?.response; next = this.#pending[0]) {
      ready.push(next.response);
      this.#pending.shift();
    }
    return Buffer.concat(ready);
  }
}
