// Looks at something again and again, for gauges that somebody has to go and read.
import type { Clock } from './clock.js';

/** Once between two readings of Prometheus, as it is mostly set. */
const INTERVAL_MS = 15_000;

export class Watch {
  private readonly stopping = new AbortController();
  private watching: Promise<void> | undefined;

  /** @param look what fails leaves the last figures, and is told by readiness */
  constructor(private readonly clock: Clock, private readonly look: () => Promise<void> | void, private readonly intervalMs = INTERVAL_MS) {}

  start(): void {
    this.watching ??= this.watch();
  }

  /** Resolves when nobody looks any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.watching;
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await Promise.resolve().then(this.look).catch(() => undefined);
      await this.clock.sleep(this.intervalMs, signal);
    }
  }
}
