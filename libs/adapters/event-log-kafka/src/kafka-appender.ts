// Appends from this process: one request under way, the next one takes whatever has gathered meanwhile. Order per partition is the order
// of the calls: an idempotent producer, one request in flight.
import type { NewLogRecord } from '@perennia/messaging';
import type { Kafka, Producer } from 'kafkajs';
import { kafkaError } from './kafka-client.js';

/** Of one partition in one request; a topic takes 1 MiB by default. */
const MAX_PARTITION_BYTES = 768 * 1024;
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;
/** What a record costs beside its value and key. */
const RECORD_OVERHEAD_BYTES = 64;
const ALL_REPLICAS = -1;

interface Call {
  topic: string;
  records: readonly NewLogRecord[];
  /** Records that are in requests already. */
  sent: number;
  resolve(): void;
  reject(error: Error): void;
}

export class KafkaAppender {
  private queue: Call[] = [];
  private sending: Promise<void> | undefined;
  private producer: Promise<Producer> | undefined;

  constructor(private readonly kafka: Kafka) {}

  append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push({ topic, records, sent: 0, resolve, reject });
      this.sending ??= this.sendAll();
    });
  }

  /** What was appended before is sent first. */
  async close(): Promise<void> {
    await this.sending;
    await this.forgetProducer();
  }

  private async sendAll(): Promise<void> {
    // Whoever appends in the same turn goes along.
    await Promise.resolve();
    while (this.queue.length > 0) await this.sendOne(new Request(this.queue));
    // In the same step as the look that found nothing: whoever comes next begins anew.
    this.sending = undefined;
  }

  private async sendOne(request: Request): Promise<void> {
    try {
      const producer = await this.connected();
      await producer.sendBatch({ acks: ALL_REPLICAS, topicMessages: request.messages() });
    } catch (cause) {
      // A producer that gave up a request knows no longer what the broker has of it; a new one begins its own sequence.
      await this.forgetProducer();
      const error = kafkaError(cause, 'append to the event log');
      this.queue = this.queue.filter((call) => !request.calls.has(call));
      for (const call of request.calls) call.reject(error);
      return;
    }
    this.queue = this.queue.filter((call) => call.sent < call.records.length);
    for (const call of request.calls) if (call.sent === call.records.length) call.resolve();
  }

  private connected(): Promise<Producer> {
    this.producer ??= this.connect().catch((error: unknown) => {
      this.producer = undefined;
      throw error;
    });
    return this.producer;
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }

  private async forgetProducer(): Promise<void> {
    const producer = await this.producer?.catch(() => undefined);
    this.producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }
}

/** As many records as one request takes, from the calls in their order. */
class Request {
  readonly calls = new Set<Call>();
  private readonly records = new Map<string, NewLogRecord[]>();
  private readonly partitionBytes = new Map<string, number>();
  private bytes = 0;

  constructor(queue: readonly Call[]) {
    for (const call of queue) if (!this.takeFrom(call)) break;
  }

  messages(): { topic: string; messages: { partition: number; key: string; value: string | Buffer }[] }[] {
    return [...this.records].map(([topic, records]) => ({ topic, messages: records.map(({ partition, key, value }) => ({ partition, key, value })) }));
  }

  /** @returns whether all of it fitted */
  private takeFrom(call: Call): boolean {
    const { topic, records } = call;
    for (; call.sent < records.length; call.sent++) {
      const record = records[call.sent]!;
      if (!this.fits(topic, record)) return false;
      this.calls.add(call);
      const taken = this.records.get(topic);
      if (taken) taken.push(record);
      else this.records.set(topic, [record]);
    }
    return true;
  }

  private fits(topic: string, { partition, key, value }: NewLogRecord): boolean {
    const place = `${topic}/${partition}`;
    const size = Buffer.byteLength(value) + Buffer.byteLength(key) + RECORD_OVERHEAD_BYTES;
    const partitionBytes = (this.partitionBytes.get(place) ?? 0) + size;
    if (this.bytes > 0 && (partitionBytes > MAX_PARTITION_BYTES || this.bytes + size > MAX_REQUEST_BYTES)) return false;
    this.partitionBytes.set(place, partitionBytes);
    this.bytes += size;
    return true;
  }
}
