// Objects whose sender is answered for all of them together: while more of them are on their way, a landing area may let those that are
// there wait for the rest, which costs their sender nothing.
export class AppendBatch {
  private more = true;
  private readonly waiters = new Set<() => void>();

  /** Whether more is on its way. */
  get isOpen(): boolean {
    return this.more;
  }

  /** The sender waits for what it has given: nothing more comes before that is durable. */
  pause(): void {
    this.more = false;
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }

  resume(): void {
    this.more = true;
  }

  /** `wake` is called once, when the batch is paused. */
  onPause(wake: () => void): void {
    if (this.more) this.waiters.add(wake);
    else wake();
  }
}
