// How long one object has waited for the store in a row, for memory or for a part that is being sent. A part that is stored begins it anew; waiting
// for a sender does not count.
import type { Clock } from '@perennia/telemetry';

export class StoreWait {
  private waitedMs = 0;

  /** @param longestMs an object that waits longer is given up; @param leastMs what a request is given at least, however long it was waited for */
  constructor(private readonly clock: Clock, private readonly longestMs: number, private readonly leastMs: number) {}

  get leftMs(): number {
    return Math.max(0, this.longestMs - this.waitedMs);
  }

  /** When a request that begins now has to end, by the monotonic clock. */
  deadline(): number {
    return this.clock.monotonicMs() + Math.max(Math.min(this.leastMs, this.longestMs), this.leftMs);
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const beganMs = this.clock.monotonicMs();
    try {
      return await work();
    } finally {
      this.waitedMs += this.clock.monotonicMs() - beganMs;
    }
  }

  stored(): void {
    this.waitedMs = 0;
  }
}
