// Runs a handler over a group of the event log under the archive's failure policy. An error that may pass (retriable) pauses
// with growing delays and skips nothing. Any other error is the data's: the batch is bisected, the one record dead-lettered,
// the rest goes on.
import { ArchiveError, CancelledError } from '@perennia/errors';
import type { Clock, Logger, Metrics } from '@perennia/telemetry';
import type { DeadLetters, RecordHandler } from './dead-letters.js';
import type { EventLog, LogRecord, Subscription } from './event-log.js';

export interface ConsumerOptions {
  topic: string;
  group: string;
  maxRecords: number;
  /** Must be idempotent: records come again after failures and crashes, alone or in other batches. */
  handle: RecordHandler;
}
export interface ConsumerRunnerParts {
  eventLog: EventLog;
  deadLetters: DeadLetters;
  metrics: Metrics;
  clock: Clock;
  log: Logger;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
const SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class ConsumerRunner {
  constructor(private readonly parts: ConsumerRunnerParts) {}

  /** Joins the group; `close` also ends a pause. @throws UnavailableError */
  async start(options: ConsumerOptions): Promise<Subscription> {
    this.parts.deadLetters.register(options.topic, options.group, options.handle);
    const stopping = new AbortController();
    const run = new ConsumerRun(this.parts, options, stopping.signal);
    const { topic, group, maxRecords } = options;
    const subscription = await this.parts.eventLog.subscribe({ topic, group, maxRecords, handle: (records) => run.handle(records) });
    return {
      close: async () => {
        stopping.abort();
        await subscription.close();
      },
    };
  }
}

class ConsumerRun {
  private readonly labels: { topic: string; group: string };
  private readonly records;
  private readonly retries;
  private readonly paused;
  private readonly seconds;

  constructor(private readonly parts: ConsumerRunnerParts, private readonly options: ConsumerOptions, private readonly stopping: AbortSignal) {
    const { metrics } = parts;
    this.labels = { topic: options.topic, group: options.group };
    this.records = metrics.counter('vna_consumer_records_total', 'Records of the event log by what became of them', ['topic', 'group', 'result']);
    this.retries = metrics.counter('vna_consumer_retries_total', 'Batches tried again because something was unavailable', ['topic', 'group']);
    this.paused = metrics.gauge('vna_consumer_paused', '1 while a consumer waits for something to be available again', ['topic', 'group']);
    this.paused.set(this.labels, 0);
    for (const result of ['handled', 'dead']) this.records.inc({ ...this.labels, result }, 0);
    this.seconds = metrics.histogram('vna_consumer_batch_seconds', 'Duration of a handler', SECONDS, ['topic', 'group']);
  }

  /** @throws CancelledError when stopped before all was handled: the records come again */
  async handle(records: LogRecord[]): Promise<void> {
    const error = await this.tryUntilAvailable(() => this.call(records));
    if (error === null) return this.records.inc({ ...this.labels, result: 'handled' }, records.length);
    if (records.length === 1) return this.giveUp(records[0]!, error);
    const half = records.length >>> 1;
    await this.handle(records.slice(0, half));
    await this.handle(records.slice(half));
  }

  private async call(records: LogRecord[]): Promise<void> {
    const end = this.seconds.startTimer(this.labels);
    try {
      await this.options.handle(records);
    } finally {
      end();
    }
  }

  private async giveUp(record: LogRecord, error: unknown): Promise<void> {
    const failure = await this.tryUntilAvailable(() => this.parts.deadLetters.add(record, this.options.group, error, 1));
    if (failure !== null) throw failure;
    this.records.inc({ ...this.labels, result: 'dead' });
    const { partition, offset } = record;
    this.parts.log.error({ ...this.labels, partition, offset, code: error instanceof ArchiveError ? error.code : 'UNEXPECTED' }, 'A record was put aside as a dead letter');
  }

  /** @returns null, or the error that trying again would not change */
  private async tryUntilAvailable(work: () => Promise<void>): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      if (this.stopping.aborted) throw new CancelledError('The consumer is being stopped.');
      try {
        await work();
        return null;
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        if (!(error instanceof ArchiveError && error.retriable)) return error ?? new Error('The handler failed without an error.');
        await this.pause(attempt, error);
      }
    }
  }

  private async pause(attempt: number, error: ArchiveError): Promise<void> {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
    this.retries.inc(this.labels);
    this.parts.log.warn({ ...this.labels, code: error.code, attempt, pauseMs }, 'A consumer waits and tries again');
    this.paused.set(this.labels, 1);
    await this.parts.clock.sleep(pauseMs, this.stopping);
    this.paused.set(this.labels, 0);
  }
}
