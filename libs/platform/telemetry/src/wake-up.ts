// A signal that is not lost when nobody waits for it yet.
import type { Clock } from './clock.js';

export class WakeUp {
  private pending = false;
  private waiting: AbortController | null = null;

  constructor(private readonly clock: Clock) {}

  wake(): void {
    this.pending = true;
    this.waiting?.abort();
  }

  /** Resolves at the next `wake` (at once if there was one since the last wait) or after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.pending) {
      this.waiting = new AbortController();
      await this.clock.sleep(timeoutMs, this.waiting.signal);
      this.waiting = null;
    }
    this.pending = false;
  }
}
