// Ended spans on their way to the collector. Whatever that does, nobody waits for it: the queue is bounded, what comes while it is full is
// dropped and counted, one request is under way at a time, and after a failure the next comes after a growing pause. A batch that was
// given up stays first in the queue.
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Metrics } from '@perennia/telemetry';
import type { OtlpSender } from './otlp-sender.js';

/** About 1 KB each. */
const MOST_SPANS = 2048;
/** Writing so many takes the thread for about a millisecond. */
const BATCH_SPANS = 128;
const INTERVAL_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export class SpanQueue implements SpanProcessor {
  private waiting: ReadableSpan[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private pauseMs = INTERVAL_MS;
  private closed = false;
  private readonly givingUp = new AbortController();
  private readonly spans;

  constructor(private readonly sender: OtlpSender, metrics: Metrics) {
    this.spans = metrics.counter('vna_telemetry_spans_total', 'Spans by what became of them', ['result']);
    for (const result of ['sent', 'dropped', 'refused']) this.spans.inc({ result }, 0);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.closed || this.waiting.length >= MOST_SPANS) return this.spans.inc({ result: 'dropped' });
    this.waiting.push(span);
    if (!this.timer && !this.sending) this.sendIn(this.pauseMs);
  }

  async forceFlush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await (this.sending ??= this.sendWaiting().finally(() => this.rest()));
  }

  shutdown(): Promise<void> {
    return this.close(INTERVAL_MS);
  }

  /** Tries to send what waits, for so long at most; what is left then is dropped. */
  async close(deadlineMs: number): Promise<void> {
    this.closed = true;
    const deadline = setTimeout(() => this.givingUp.abort(), deadlineMs);
    await this.sending;
    if (!this.givingUp.signal.aborted) await this.forceFlush();
    clearTimeout(deadline);
    this.givingUp.abort();
    clearTimeout(this.timer);
    this.spans.inc({ result: 'dropped' }, this.waiting.length);
    this.waiting = [];
  }

  private sendIn(ms: number): void {
    this.timer = setTimeout(() => void this.forceFlush(), ms);
    this.timer.unref();
  }

  /** One batch after the other until none waits or one fails. */
  private async sendWaiting(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH_SPANS);
      const outcome = await this.sender.send(batch, this.givingUp.signal);
      if (outcome === 'later') {
        this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
        return;
      }
      this.pauseMs = INTERVAL_MS;
      this.waiting.splice(0, batch.length);
      this.spans.inc({ result: outcome === 'taken' ? 'sent' : 'refused' }, batch.length);
    }
  }

  private rest(): void {
    this.sending = undefined;
    if (this.waiting.length > 0 && !this.closed) this.sendIn(this.pauseMs);
  }
}
