// The Association Request/Reject/Release Timer (PS3.8 §9.1.5): one deadline that is started, restarted and stopped.
import type { TimerHandle, TimerSource } from './timer-source.js';

export class ArtimTimer {
  #handle: TimerHandle | null = null;

  constructor(private readonly timers: TimerSource, private readonly onExpired: () => void) {}

  get running(): boolean {
    return this.#handle !== null;
  }

  start(durationMs: number): void {
    this.stop();
    this.#handle = this.timers.schedule(durationMs, () => {
      this.#handle = null;
      this.onExpired();
    });
  }

  stop(): void {
    this.#handle?.cancel();
    this.#handle = null;
  }
}
