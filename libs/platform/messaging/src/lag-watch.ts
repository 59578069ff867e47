// How far a group is behind, as a metric: what alerts and autoscaling look at.
import type { Clock, Metrics } from '@perennia/telemetry';
import type { EventLog } from './event-log.js';

const INTERVAL_MS = 5000;

export class LagWatch {
  private readonly stopping = new AbortController();
  private readonly lag;
  private watching: Promise<void> | undefined;

  constructor(
    private readonly eventLog: EventLog,
    metrics: Metrics,
    private readonly clock: Clock,
    private readonly subject: { topic: string; group: string },
  ) {
    this.lag = metrics.gauge('vna_consumer_lag_records', 'Records that wait for a group; every member tells the same', ['topic', 'group']);
  }

  start(): void {
    this.watching = this.watch();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.watching;
  }

  private async watch(): Promise<void> {
    const { topic, group } = this.subject;
    while (!this.stopping.signal.aborted) {
      // A log that does not answer leaves the last figure; readiness tells that.
      const lags = await this.eventLog.lag(topic, group).catch(() => undefined);
      if (lags) this.lag.set(this.subject, lags.reduce((sum, { committedOffset, endOffset }) => sum + endOffset - committedOffset, 0));
      await this.clock.sleep(INTERVAL_MS, this.stopping.signal);
    }
  }
}
