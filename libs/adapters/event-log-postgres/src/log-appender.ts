// The one appender of a process. It takes whatever waits as soon as the last commit has returned, so that many small appends
// share one flush; order within a partition is the order of the calls.
import { ArchiveError } from '@perennia/errors';
import type { NewLogRecord } from '@perennia/messaging';
import type { Clock } from '@perennia/telemetry';
import { connectLogClient, type LogClient } from './log-client.js';
import { packRuns, type RecordRun } from './record-run.js';
import { ensureDays, ensureTopic, utcDay, type TopicTable } from './record-tables.js';

interface AppendRequest {
  topic: string;
  records: readonly NewLogRecord[];
  resolve(): void;
  reject(error: unknown): void;
}
interface PositionRow {
  partition: number;
  next_offset: string;
}

/** Bounds the memory of one commit: the text of this many records or characters. */
const MAX_RECORDS = 4000;
const MAX_CHARACTERS = 16 * 1024 * 1024;

export class LogAppender {
  private readonly waiting: AppendRequest[] = [];
  private readonly tables = new Map<string, TopicTable>();
  private readonly readyDays = new Set<string>();
  private client: LogClient | null = null;
  private running: Promise<void> | null = null;

  constructor(
    private readonly url: string,
    private readonly partitions: number,
    private readonly clock: Clock,
    private readonly appended: (topic: string) => void,
  ) {}

  append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ topic, records, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Resolves when everything that waits is written. */
  async close(): Promise<void> {
    await this.running;
    await this.client?.end();
    this.client = null;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.takeGroup();
      try {
        await this.commit(group);
        this.finish(group);
      } catch (error) {
        await this.settleFailure(group, error);
      }
    }
    // In the same turn as the last look: an append after it starts a new run.
    this.running = null;
  }

  private takeGroup(): AppendRequest[] {
    let records = 0;
    let characters = 0;
    let taken = 0;
    for (const request of this.waiting) {
      records += request.records.length;
      for (const { value } of request.records) characters += value.length;
      if (taken > 0 && (records > MAX_RECORDS || characters > MAX_CHARACTERS)) break;
      taken++;
    }
    return this.waiting.splice(0, taken);
  }

  /** A record that the server refuses must not fail the others that only shared its commit. */
  private async settleFailure(group: AppendRequest[], error: unknown): Promise<void> {
    const retriable = error instanceof ArchiveError && error.retriable;
    if (retriable || group.length === 1) {
      for (const request of group) request.reject(error);
      return;
    }
    for (const request of group) {
      await this.commit([request]).then(() => this.finish([request]), request.reject);
    }
  }

  private finish(group: AppendRequest[]): void {
    for (const request of group) request.resolve();
    for (const topic of new Set(group.map((request) => request.topic))) this.appended(topic);
  }

  private async commit(group: AppendRequest[]): Promise<void> {
    const day = utcDay(this.clock.nowMs());
    try {
      this.client ??= await connectLogClient(this.url, { name: 'log-append', synchronousCommit: 'on' });
      const topics = [];
      for (const [topic, requests] of Map.groupBy(group, (request) => request.topic)) {
        topics.push({ ...(await this.readyTable(topic, day)), runs: await packRuns(requests.flatMap(({ records }) => records)) });
      }
      await this.client.query('begin');
      // Ascending topics, ascending partitions: appenders of several processes never wait for each other in a circle.
      for (const { runs, ...table } of topics.toSorted((a, b) => a.topicId - b.topicId)) await this.write(table, runs, day);
      await this.client.query('commit');
    } catch (error) {
      await this.abandonConnection();
      throw error;
    }
  }

  private async readyTable(topic: string, day: string): Promise<TopicTable> {
    let table = this.tables.get(topic);
    if (!table) this.tables.set(topic, (table = await ensureTopic(this.client!, topic, this.partitions)));
    const key = `${table.topicId} ${day}`;
    if (!this.readyDays.has(key)) {
      await ensureDays(this.client!, table, day);
      this.readyDays.add(key);
    }
    return table;
  }

  private async write(topic: TopicTable, runs: readonly RecordRun[], day: string): Promise<void> {
    const touched = [...new Set(runs.map(({ partition }) => partition))];
    const positions = await this.client!.query<PositionRow>(
      'select partition, next_offset from event_log.log_position where topic_id = $1 and partition = any($2::smallint[]) order by partition for update',
      [topic.topicId, touched],
    );
    const next = new Map(positions.map(({ partition, next_offset }) => [partition, Number(next_offset)]));
    const lastOffsets = runs.map(({ partition, records }) => {
      const end = next.get(partition)! + records;
      next.set(partition, end);
      return end - 1;
    });
    await this.client!.query(
      `with moved as (
         update event_log.log_position p set next_offset = n.next_offset
         from unnest($8::smallint[], $9::bigint[]) as n (partition, next_offset) where p.topic_id = $7 and p.partition = n.partition)
       insert into ${topic.table} (partition, last_offset, day, records, text_bytes, encoding, content)
       select r.partition, r.last_offset, $6::date, r.records, r.text_bytes, r.encoding, r.content
       from unnest($1::smallint[], $2::bigint[], $3::int[], $4::int[], $5::smallint[], $10::bytea[])
         as r (partition, last_offset, records, text_bytes, encoding, content)`,
      [
        runs.map(({ partition }) => partition), lastOffsets, runs.map(({ records }) => records), runs.map(({ textBytes }) => textBytes),
        runs.map(({ encoding }) => encoding), day, topic.topicId, [...next.keys()], [...next.values()], runs.map(({ content }) => content),
      ],
    );
  }

  /** After any failure: the next commit begins on a new connection, whatever state this one was left in. */
  private async abandonConnection(): Promise<void> {
    const client = this.client;
    this.client = null;
    this.readyDays.clear();
    await client?.end();
  }
}
