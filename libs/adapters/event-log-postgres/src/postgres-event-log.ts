// The event log in PostgreSQL, for one machine: what the embedded installation uses instead of Kafka, under the same contract.
import { ConflictError, InvalidInputError } from '@perennia/errors';
import { DEFAULT_PARTITIONS, topics } from '@perennia/contracts';
import { assertAppendable, EventLog, keptUntilClosed, type GroupLag, type NewLogRecord, type Subscription, type SubscriptionOptions } from '@perennia/messaging';
import { migrateSchema, type SchemaMigrations } from '@perennia/persistence';
import { SystemClock, type Clock, type Logger } from '@perennia/telemetry';
import { AppendAnnouncer } from './append-announcer.js';
import { countMembers, type GroupKey } from './group-member.js';
import { LogAppender } from './log-appender.js';
import { connectLogClient, type LogClient } from './log-client.js';
import { LogSubscription } from './log-subscription.js';
import { EventLog1763769600010 } from './migrations/1763769600010-event-log.js';
import { RecordRuns1764080400010 } from './migrations/1764080400010-record-runs.js';
import { SEPARATOR } from './record-run.js';
import { dropDaysBefore, ensureTopic, utcDay, type TopicTable } from './record-tables.js';

export interface PostgresEventLogOptions {
  url: string;
  /** Of every topic; chosen once per installation. Default 8. */
  partitions?: number;
  /** Whether this process drops, a few times a day, what is older than the retention of its topic. */
  upkeep?: boolean;
  log: Logger;
  clock?: Clock;
}

const DAY_MS = 86_400_000;
const UPKEEP_MS = DAY_MS / 4;

export class PostgresEventLog extends EventLog {
  private readonly clock: Clock;
  private readonly appender: LogAppender;
  private readonly announcer: AppendAnnouncer;
  private readonly subscriptions = new Set<LogSubscription>();
  private readonly tables = new Map<string, Promise<TopicTable>>();
  private service: Promise<LogClient> | null = null;
  private readonly closing = new AbortController();
  private upkeep: Promise<void> | undefined;

  private constructor(private readonly options: PostgresEventLogOptions, override readonly partitions: number) {
    super();
    this.clock = options.clock ?? new SystemClock();
    this.appender = new LogAppender(options.url, partitions, this.clock, (topic) => this.appended(topic));
    this.announcer = new AppendAnnouncer((sql, parameters) => this.query(sql, parameters), this.clock);
  }

  /** What `open` brings up to date; for those who look before they change anything. */
  static schema(url: string): SchemaMigrations {
    return { url, schema: 'event_log', migrations: [EventLog1763769600010, RecordRuns1764080400010] };
  }

  /** Brings the schema up to date. @throws UnavailableError, ConfigurationError, SchemaTooNewError */
  static async open(options: PostgresEventLogOptions): Promise<PostgresEventLog> {
    const { url, schema, migrations } = PostgresEventLog.schema(options.url);
    await migrateSchema(url, schema, migrations);
    const eventLog = new PostgresEventLog(options, options.partitions ?? DEFAULT_PARTITIONS);
    if (options.upkeep) eventLog.upkeep = eventLog.keepUp();
    return eventLog;
  }

  async append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
    for (const record of records) this.check(record);
    if (records.length > 0) await this.appender.append(topic, records);
  }

  async subscribe(options: SubscriptionOptions): Promise<Subscription> {
    const group = await this.group(options.topic, options.group);
    const subscription = new LogSubscription(this.options.url, group, options, this.clock, this.options.log);
    await subscription.start();
    return keptUntilClosed(this.subscriptions, subscription);
  }

  async lag(topic: string, group: string): Promise<GroupLag[]> {
    const { groupId } = await this.group(topic, group);
    const rows = await this.query<{ partition: number; committed: string; end: string }>(
      `select partition, g.next_offset as committed, p.next_offset as end
       from event_log.group_progress g join event_log.consumer_group using (group_id) join event_log.log_position p using (topic_id, partition)
       where group_id = $1 order by partition`,
      [groupId],
    );
    return rows.map(({ partition, committed, end }) => ({ partition, committedOffset: Number(committed), endOffset: Number(end) }));
  }

  async seek(topic: string, group: string, offset: number | 'beginning' | 'end', partition?: number): Promise<void> {
    const { groupId } = await this.group(topic, group);
    if ((await countMembers(await this.serviceClient(), groupId)) > 0) {
      throw new ConflictError(`The consumer group ${group} has members.`, { remedy: 'Stop its consumers first.' });
    }
    const wanted = offset === 'beginning' ? 0 : offset === 'end' ? null : offset;
    await this.query(
      `update event_log.group_progress g set next_offset = least(p.next_offset, coalesce($2::bigint, p.next_offset))
       from event_log.consumer_group c join event_log.log_position p using (topic_id)
       where g.group_id = $1 and c.group_id = g.group_id and p.partition = g.partition and ($3::int is null or g.partition = $3)`,
      [groupId, wanted, partition ?? null],
    );
  }

  async ping(): Promise<void> {
    await this.query('select 1', []);
  }

  /** Drops what is older than the retention of its topic. @returns dropped tables */
  async maintain(): Promise<string[]> {
    const dropped: string[] = [];
    for (const { name, retentionDays } of topics) dropped.push(...(await this.dropOld(name, retentionDays)));
    return dropped;
  }

  /** Drops the days of one topic before the last `retentionDays`, read or not. @returns dropped tables */
  async dropOld(topic: string, retentionDays: number): Promise<string[]> {
    const table = await this.table(topic);
    return this.apart((client) => dropDaysBefore(client, table, utcDay(this.clock.nowMs() - retentionDays * DAY_MS)));
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.upkeep;
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()));
    this.subscriptions.clear();
    await this.appender.close();
    await this.announcer.close();
    const service = await this.service?.catch(() => null);
    this.service = null;
    await service?.end();
  }

  private async keepUp(): Promise<void> {
    const { log } = this.options;
    while (!this.closing.signal.aborted) {
      await this.maintain().then(
        (dropped) => void (dropped.length > 0 && log.info({ tables: dropped }, 'Days of the event log beyond their retention dropped')),
        (err: unknown) => log.warn({ err }, 'Old days of the event log could not be dropped; it is tried again later'),
      );
      await this.clock.sleep(UPKEEP_MS, this.closing.signal);
    }
  }

  private check(record: NewLogRecord): void {
    assertAppendable(record, this.partitions);
    const { key, value } = record;
    if (key.includes(SEPARATOR) || value.includes(SEPARATOR)) throw new InvalidInputError('A record of the log must be JSON text.');
  }

  private appended(topic: string): void {
    for (const subscription of this.subscriptions) if (subscription.topic === topic) subscription.wake();
    void this.table(topic).then(({ topicId }) => this.announcer.announce(topicId), () => undefined);
  }

  private table(topic: string): Promise<TopicTable> {
    let table = this.tables.get(topic);
    if (!table) {
      table = this.apart((client) => ensureTopic(client, topic, this.partitions));
      this.tables.set(topic, table);
      table.catch(() => this.tables.delete(topic));
    }
    return table;
  }

  /** Transactions need a connection of their own: the service connection is shared by concurrent calls. */
  private async apart<T>(work: (client: LogClient) => Promise<T>): Promise<T> {
    const client = await connectLogClient(this.options.url, { name: 'log-topics', synchronousCommit: 'on' });
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** A group begins with the oldest record that is kept. */
  private async group(topic: string, name: string): Promise<GroupKey> {
    const table = await this.table(topic);
    const [row] = await this.query<{ group_id: number }>(
      `insert into event_log.consumer_group (topic_id, name) values ($1, $2)
       on conflict (topic_id, name) do update set name = excluded.name returning group_id`,
      [table.topicId, name],
    );
    await this.query(
      'insert into event_log.group_progress (group_id, partition) select $1, partition from generate_series(0, $2 - 1) as partition on conflict do nothing',
      [row!.group_id, this.partitions],
    );
    return { topic, table, groupId: row!.group_id, partitions: this.partitions };
  }

  private async query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    const client = await this.serviceClient();
    try {
      return await client.query<Row>(sql, parameters);
    } catch (error) {
      // The next call connects anew.
      this.service = null;
      await client.end();
      throw error;
    }
  }

  private serviceClient(): Promise<LogClient> {
    this.service ??= connectLogClient(this.options.url, { name: 'log-service', synchronousCommit: 'off' }).catch((error: unknown) => {
      this.service = null;
      throw error;
    });
    return this.service;
  }
}
