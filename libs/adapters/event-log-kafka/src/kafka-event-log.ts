// The event log on Kafka: what a cluster uses, under the contract of the port.
import { DEFAULT_PARTITIONS } from '@perennia/contracts';
import { ConflictError } from '@perennia/errors';
import { assertAppendable, EventLog, keptUntilClosed, type GroupLag, type NewLogRecord, type Subscription, type SubscriptionOptions } from '@perennia/messaging';
import { SystemClock, type Clock, type Logger } from '@perennia/telemetry';
import type { Admin, Kafka } from 'kafkajs';
import { KafkaAppender } from './kafka-appender.js';
import { kafkaClient, kafkaError, typeOf, type KafkaConnection } from './kafka-client.js';
import { KafkaSubscription, type MemberTimes } from './kafka-subscription.js';

export interface KafkaEventLogOptions {
  connection: KafkaConnection;
  /** Of every topic; chosen once per installation. Default 8. */
  partitions?: number;
  /** A member that is silent for so long has lost its partitions. Default 6 s, the shortest that brokers allow without a setting. */
  sessionMs?: number;
  log: Logger;
  clock?: Clock;
}

const SESSION_MS = 6000;
const HEARTBEATS_A_SESSION = 4;
const COORDINATOR_MOVES: ReadonlySet<string> = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS']);
const COORDINATOR_ATTEMPTS = 10;
const COORDINATOR_PAUSE_MS = 200;
/** States of a group that nobody is in. */
const WITHOUT_MEMBERS: ReadonlySet<string> = new Set(['Empty', 'Dead']);

export class KafkaEventLog extends EventLog {
  override readonly partitions: number;
  private readonly kafka: Kafka;
  private readonly clock: Clock;
  private readonly appender: KafkaAppender;
  private readonly times: MemberTimes;
  private readonly subscriptions = new Set<KafkaSubscription>();
  private connectedAdmin: Promise<Admin> | undefined;

  private constructor(private readonly options: KafkaEventLogOptions) {
    super();
    this.partitions = options.partitions ?? DEFAULT_PARTITIONS;
    this.clock = options.clock ?? new SystemClock();
    this.kafka = kafkaClient(options.connection, options.log);
    this.appender = new KafkaAppender(this.kafka);
    const sessionMs = options.sessionMs ?? SESSION_MS;
    this.times = { sessionMs, heartbeatMs: Math.floor(sessionMs / HEARTBEATS_A_SESSION) };
  }

  /** @throws UnavailableError when no broker can be reached, ConfigurationError when it refuses us */
  static async open(options: KafkaEventLogOptions): Promise<KafkaEventLog> {
    const log = new KafkaEventLog(options);
    await log.withAdmin('list topics', (admin) => admin.listTopics());
    return log;
  }

  /** The same without asking the brokers, which may be away: what is appended waits for them. */
  static connect(options: KafkaEventLogOptions): KafkaEventLog {
    return new KafkaEventLog(options);
  }

  ping(): Promise<void> {
    return this.withAdmin('describe the cluster', async (admin) => void (await admin.describeCluster()));
  }

  async append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
    for (const record of records) assertAppendable(record, this.partitions);
    if (records.length > 0) await this.appender.append(topic, records);
  }

  async subscribe(options: SubscriptionOptions): Promise<Subscription> {
    const groupId = groupIdOf(options.topic, options.group);
    const subscription = new KafkaSubscription(this.kafka, groupId, options, this.partitions, this.times, this.clock, this.options.log);
    await subscription.start();
    return keptUntilClosed(this.subscriptions, subscription);
  }

  lag(topic: string, group: string): Promise<GroupLag[]> {
    return this.withAdmin('tell the lag of a group', async (admin) => {
      const ends = await admin.fetchTopicOffsets(topic);
      const committed = await committedOffsets(admin, topic, groupIdOf(topic, group));
      return ends
        .map(({ partition, low, high }): GroupLag => ({ partition, committedOffset: committed.get(partition) ?? Number(low), endOffset: Number(high) }))
        .toSorted((a, b) => a.partition - b.partition);
    });
  }

  seek(topic: string, group: string, offset: number | 'beginning' | 'end', partition?: number): Promise<void> {
    return this.withAdmin('move the progress of a group', async (admin) => {
      const groupId = groupIdOf(topic, group);
      const { groups: [description] } = await admin.describeGroups([groupId]);
      if (!WITHOUT_MEMBERS.has(description!.state)) throw new ConflictError(`The consumer group ${group} has members.`, { remedy: 'Stop its consumers first.' });
      const ends = await admin.fetchTopicOffsets(topic);
      const wanted = ends
        .filter((each) => partition === undefined || each.partition === partition)
        .map(({ partition: number, low, high }) => ({ topic, partition: number, offset: offset === 'beginning' ? low : offset === 'end' ? high : String(Math.min(offset, Number(high))) }));
      await this.storeProgress(topic, groupId, wanted);
    });
  }

  /** As the only member of the group, which reads nothing. (The call kafkajs has for this waits for a whole long poll, five seconds.) */
  private async storeProgress(topic: string, groupId: string, offsets: { topic: string; partition: number; offset: string }[]): Promise<void> {
    const consumer = this.kafka.consumer({ groupId, sessionTimeout: this.times.sessionMs, heartbeatInterval: this.times.heartbeatMs, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: () => Promise.resolve() });
      await consumer.commitOffsets(offsets);
    } finally {
      await consumer.disconnect();
    }
  }

  /** For the topics of an installation: see kafka-topics. @throws as `open` */
  async withAdmin<T>(doing: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(await this.admin());
      } catch (error) {
        if (attempt === COORDINATOR_ATTEMPTS || !COORDINATOR_MOVES.has(typeOf(error))) throw kafkaError(error, doing);
      }
      // Who coordinates a group is remembered with the connection, and wrong while a broker starts or leaves.
      await this.forgetAdmin();
      await this.clock.sleep(COORDINATOR_PAUSE_MS);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()));
    this.subscriptions.clear();
    await this.appender.close();
    await this.forgetAdmin();
  }

  private async forgetAdmin(): Promise<void> {
    const admin = await this.connectedAdmin?.catch(() => undefined);
    this.connectedAdmin = undefined;
    await admin?.disconnect().catch(() => undefined);
  }

  private admin(): Promise<Admin> {
    this.connectedAdmin ??= this.connectAdmin().catch((error: unknown) => {
      this.connectedAdmin = undefined;
      throw error;
    });
    return this.connectedAdmin;
  }

  private async connectAdmin(): Promise<Admin> {
    const admin = this.kafka.admin();
    await admin.connect();
    return admin;
  }
}

/** A group of ours reads one topic: members of a group that read different ones would be shared out anew for each other. */
function groupIdOf(topic: string, group: string): string {
  return `${group}@${topic}`;
}

async function committedOffsets(admin: Admin, topic: string, groupId: string): Promise<Map<number, number>> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const stored = (found?.partitions ?? []).map(({ partition, offset }): [number, number] => [partition, Number(offset)]);
  return new Map(stored.filter(([, offset]) => offset >= 0));
}
