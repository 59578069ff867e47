// One member of a consumer group. Batches of all partitions it owns are gathered into calls of the handler, one at a time, up to the size
// the handler wants; progress of all of them is stored with one request after it. What a handler rejects is given to it again on the spot:
// the member stays in its group, so nobody else has to take over because the database is away.
import { ArchiveError, ConfigurationError } from '@perennia/errors';
import type { LogRecord, Subscription, SubscriptionOptions } from '@perennia/messaging';
import type { Clock, Logger } from '@perennia/telemetry';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { kafkaError, typeOf } from './kafka-client.js';

export interface MemberTimes {
  /** A member that is silent for so long has lost its partitions. */
  sessionMs: number;
  /** How often it says that it lives. */
  heartbeatMs: number;
}

/** Records of one partition that wait for the handler. */
interface Waiting {
  records: LogRecord[];
  payload: EachBatchPayload;
  resolve(): void;
  reject(error: unknown): void;
}

const REBALANCE_MS = 60_000;
const FETCH_WAIT_MS = 1000;
const JOIN_PATIENCE_MS = 2000;
const AGAIN_AFTER_MS = 100;
const RESTART_AFTER_MS = 1000;

export class KafkaSubscription implements Subscription {
  private consumer: Consumer | undefined;
  private waiting: Waiting[] = [];
  private working: Promise<void> | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly kafka: Kafka,
    private readonly groupId: string,
    private readonly options: SubscriptionOptions,
    private readonly partitions: number,
    private readonly times: MemberTimes,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Joins the group; with busy members or absent brokers that may take until after this. @throws ConfigurationError */
  async start(): Promise<void> {
    const joined = this.join();
    // A member that is busy, or dead and not yet missed, keeps the group from being shared out; brokers may be away: nobody is to wait for that at a start.
    const patience = new AbortController();
    let refused: unknown;
    joined.catch((error: unknown) => {
      refused = error;
      if (!(error instanceof ConfigurationError)) void this.joinLater(error);
    });
    await Promise.race([joined, this.clock.sleep(JOIN_PATIENCE_MS, patience.signal)]).catch(() => undefined).finally(() => patience.abort());
    if (refused instanceof ConfigurationError) throw refused;
  }

  /** @throws UnavailableError, ConfigurationError; then nothing is left of the attempt */
  private async join(): Promise<void> {
    const consumer = this.kafka.consumer({
      groupId: this.groupId,
      sessionTimeout: this.times.sessionMs,
      heartbeatInterval: this.times.heartbeatMs,
      rebalanceTimeout: REBALANCE_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
    });
    this.consumer = consumer;
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      this.log.warn({ topic: this.options.topic, group: this.groupId, reason: typeOf(error) }, 'A consumer of the event log stopped and starts again');
      if (!restart) void consumer.disconnect().catch(() => undefined).then(() => this.joinLater(error));
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic: this.options.topic, fromBeginning: true });
      this.closing.signal.throwIfAborted();
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: this.partitions, eachBatch: (payload) => this.take(payload) });
    } catch (error) {
      await consumer.disconnect().catch(() => undefined);
      throw kafkaError(error, `join the group ${this.groupId}`);
    }
  }

  private async joinLater(reason: unknown): Promise<void> {
    for (let cause = reason; !this.closing.signal.aborted; ) {
      this.log.warn({ topic: this.options.topic, group: this.groupId, reason: typeOf(cause) }, 'A consumer of the event log cannot join its group yet');
      await this.clock.sleep(RESTART_AFTER_MS, this.closing.signal);
      if (this.closing.signal.aborted) return;
      try {
        return await this.join();
      } catch (error) {
        cause = error;
      }
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.working;
    for (const { resolve } of this.waiting.splice(0)) resolve();
    await this.consumer?.disconnect().catch(() => undefined);
  }

  /** Resolves when the records are handled, or the member is closing and they are somebody else's. */
  private take(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    const records = messages.map(({ key, value, offset }): LogRecord => (
      { topic, partition, key: key?.toString() ?? '', value: value ?? Buffer.alloc(0), offset: Number(offset) }));
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiting.push({ records, payload, resolve, reject });
      this.working ??= this.work();
    });
  }

  private async work(): Promise<void> {
    // Batches of one fetch are told one after the other in the same turn.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0 && !this.closing.signal.aborted) await this.handleSome();
    // In the same step as the look that found nothing: whoever comes next begins anew.
    this.working = undefined;
  }

  private async handleSome(): Promise<void> {
    const { maxRecords } = this.options;
    const taken: { from: Waiting; records: LogRecord[] }[] = [];
    let count = 0;
    for (const from of this.waiting) {
      if (count === maxRecords) break;
      const records = from.records.slice(0, maxRecords - count);
      taken.push({ from, records });
      count += records.length;
    }
    try {
      if (!(await this.handleUntilDone(taken.flatMap(({ records }) => records), taken[0]!.from.payload))) return;
      await this.storeProgress(taken);
    } catch (error) {
      // Fenced, or the group is being shared out anew: kafkajs joins again, and whoever has the partitions then gets the records.
      this.waiting = this.waiting.filter((waiting) => !taken.some(({ from }) => from === waiting));
      for (const { from } of taken) from.reject(error);
    }
  }

  /** @returns false when the member is closing. @throws what ends its membership */
  private async handleUntilDone(records: LogRecord[], { heartbeat }: EachBatchPayload): Promise<boolean> {
    let lost: unknown;
    const beat = setInterval(() => void heartbeat().catch((error: unknown) => (lost = error)), this.times.heartbeatMs);
    try {
      while (!this.closing.signal.aborted) {
        try {
          await this.options.handle(records);
          return true;
        } catch (error) {
          if (lost !== undefined) throw lost;
          const code = error instanceof ArchiveError ? error.code : 'UNEXPECTED';
          this.log.warn({ topic: this.options.topic, group: this.options.group, code }, 'A batch of the event log was refused by its handler');
          await this.clock.sleep(AGAIN_AFTER_MS, this.closing.signal);
        }
      }
      return false;
    } finally {
      clearInterval(beat);
    }
  }

  private async storeProgress(taken: readonly { from: Waiting; records: readonly LogRecord[] }[]): Promise<void> {
    const { topic } = this.options;
    const partitions = taken.map(({ from, records }) => ({ partition: from.payload.batch.partition, offset: String(records.at(-1)!.offset + 1) }));
    await taken[0]!.from.payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions }] });
    for (const { from, records } of taken) {
      from.payload.resolveOffset(String(records.at(-1)!.offset));
      from.records = from.records.slice(records.length);
      if (from.records.length === 0) from.resolve();
    }
    this.waiting = this.waiting.filter(({ records }) => records.length > 0);
  }
}
