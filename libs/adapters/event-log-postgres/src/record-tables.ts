// Topics and the tables of their runs of records: one per topic, a partition per day, so that retention is `drop table`.
import { ConfigurationError } from '@perennia/errors';
import type { LogClient } from './log-client.js';

export interface TopicTable {
  topicId: number;
  /** Qualified name, safe to put into SQL. */
  table: string;
}

const DDL_LOCK = 5_262_023;
const DAY_MS = 86_400_000;

// What fits into a page is kept in its row, and nothing is compressed again. Nothing is ever updated and whole days are dropped:
// vacuum and analyze would only read it all again.
const STORAGE = 'with (toast_tuple_target = 8160, autovacuum_enabled = false)';

/** A run has the offsets `last_offset - records + 1` to `last_offset`. */
const RUN_COLUMNS = `
  partition smallint not null, last_offset bigint not null, day date not null, records integer not null, text_bytes integer not null,
  encoding smallint not null, content bytea not null,
  primary key (partition, last_offset, day)`;

/** Finds or makes a topic. @throws ConfigurationError when it was made with another number of partitions */
export async function ensureTopic(client: LogClient, name: string, partitions: number): Promise<TopicTable> {
  const found = (await findTopic(client, name)) ?? (await createTopic(client, name, partitions));
  if (found.partitions !== partitions) {
    throw new ConfigurationError(`The event log has ${found.partitions} partitions, the setting says ${partitions}.`, {
      remedy: `The number is chosen once per installation: set it back to ${found.partitions}.`,
    });
  }
  return { topicId: found.topic_id, table: `event_log.run_${found.topic_id}` };
}

interface TopicRow {
  topic_id: number;
  partitions: number;
}

async function findTopic(client: LogClient, name: string): Promise<TopicRow | undefined> {
  const [row] = await client.query<TopicRow>('select topic_id, partitions from event_log.topic where name = $1', [name]);
  return row;
}

function createTopic(client: LogClient, name: string, partitions: number): Promise<TopicRow> {
  return inDdlTurn(client, async () => {
    const made = await findTopic(client, name);
    if (made) return made;
    const [row] = await client.query<TopicRow>('insert into event_log.topic (name, partitions) values ($1, $2) returning topic_id, partitions', [name, partitions]);
    const table = `event_log.run_${row!.topic_id}`;
    await client.query('insert into event_log.log_position (topic_id, partition) select $1, partition from generate_series(0, $2 - 1) as partition', [row!.topic_id, partitions]);
    await client.query(`create table ${table} (${RUN_COLUMNS}) partition by range (day)`);
    await client.query(`alter table ${table} alter column content set storage external`);
    return row!;
  });
}

/** Makes the partitions of `day` and of the day after it. */
export async function ensureDays(client: LogClient, topic: TopicTable, day: string): Promise<void> {
  await inDdlTurn(client, async () => {
    for (const date of [day, nextDay(day)]) {
      const table = dayTable(topic, date);
      const [found] = await client.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [table]);
      if (found!.exists) continue;
      // Made apart and attached: this does not wait for readers of the topic.
      await client.query(`create table ${table} (like ${topic.table} including all) ${STORAGE}`);
      await client.query(`alter table ${topic.table} attach partition ${table} for values from ('${date}') to ('${nextDay(date)}')`);
    }
  });
}

/** Drops the days before `firstKept`. @returns their tables' names */
export async function dropDaysBefore(client: LogClient, topic: TopicTable, firstKept: string): Promise<string[]> {
  const days = await client.query<{ name: string }>(
    'select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1', [topic.table]);
  const old = days.map(({ name }) => name).filter((name) => name < dayTable(topic, firstKept));
  for (const table of old) {
    await inDdlTurn(client, async () => {
      // Dropping waits for readers and makes new ones wait behind it: rather try again at the next maintenance.
      await client.query(`set local lock_timeout = '2s'`);
      await client.query(`drop table ${table}`);
    });
  }
  return old;
}

/** `YYYY-MM-DD` in UTC. */
export function utcDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

function nextDay(day: string): string {
  return utcDay(Date.parse(day) + DAY_MS);
}

function dayTable(topic: TopicTable, day: string): string {
  return `${topic.table}_${day.replaceAll('-', '')}`;
}

async function inDdlTurn<T>(client: LogClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [DDL_LOCK]);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
