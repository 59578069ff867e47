// How far a group is behind, in records and in time, as metrics: what alerts and autoscaling look at.
import { Watch, type Clock, type Metrics } from '@perennia/telemetry';
import type { EventLog } from './event-log.js';

const INTERVAL_MS = 5000;
/** Looks that are remembered; when there are more, every second one is forgotten: what is long ago needs no precision. */
const MOST_MARKS = 2000;

interface Mark {
  atMs: number;
  /** End of the log then, over all partitions. */
  end: number;
}

export class LagWatch {
  private readonly watch: Watch;
  private readonly records;
  private readonly seconds;
  /** Ends of the log that the group has not reached yet, the oldest first. */
  private marks: Mark[] = [];

  constructor(
    private readonly eventLog: EventLog,
    metrics: Metrics,
    private readonly clock: Clock,
    private readonly subject: { topic: string; group: string },
  ) {
    this.records = metrics.gauge('vna_consumer_lag_records', 'Records that wait for a group; every member tells the same', ['topic', 'group']);
    this.seconds = metrics.gauge('vna_consumer_lag_seconds', 'How long the group has been behind what the log held then, as long as this process has watched', ['topic', 'group']);
    this.watch = new Watch(clock, () => this.look(), INTERVAL_MS);
  }

  start(): void {
    this.watch.start();
  }
  stop(): Promise<void> {
    return this.watch.stop();
  }

  private async look(): Promise<void> {
    const { topic, group } = this.subject;
    const lags = await this.eventLog.lag(topic, group);
    const end = lags.reduce((sum, { endOffset }) => sum + endOffset, 0);
    const committed = lags.reduce((sum, { committedOffset }) => sum + committedOffset, 0);
    this.records.set(this.subject, end - committed);
    this.seconds.set(this.subject, this.behindMs(end, committed) / 1000);
  }

  private behindMs(end: number, committed: number): number {
    const nowMs = this.clock.monotonicMs();
    this.marks = this.marks.filter((mark) => mark.end > committed);
    if (end > (this.marks.at(-1)?.end ?? committed)) this.marks.push({ atMs: nowMs, end });
    if (this.marks.length > MOST_MARKS) this.marks = this.marks.filter((_, index) => index % 2 === 0);
    return nowMs - (this.marks[0]?.atMs ?? nowMs);
  }
}
