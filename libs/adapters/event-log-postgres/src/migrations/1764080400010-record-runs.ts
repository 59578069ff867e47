// Purpose: the log keeps runs of records instead of one row a record (ADR 12). Every kept record becomes a run of its own.
// Lock: the log, exclusively. Duration: a copy of what its retention keeps. Backward compatible: no.
import type { MigrationInterface, QueryRunner } from 'typeorm';

// As they are on this day; later changes are migrations of their own.
const COLUMNS = `
  partition smallint not null, last_offset bigint not null, day date not null, records integer not null, text_bytes integer not null,
  encoding smallint not null, content bytea not null,
  primary key (partition, last_offset, day)`;
const DAY_STORAGE = 'with (toast_tuple_target = 8160, autovacuum_enabled = false)';

export class RecordRuns1764080400010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const topics = (await runner.query('select topic_id from event_log.topic order by topic_id')) as { topic_id: number }[];
    for (const { topic_id } of topics) await convert(runner, `event_log.record_${topic_id}`, `event_log.run_${topic_id}`);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}

async function convert(runner: QueryRunner, records: string, runs: string): Promise<void> {
  await runner.query(`create table ${runs} (${COLUMNS}) partition by range (day)`);
  await runner.query(`alter table ${runs} alter column content set storage external`);
  const days = (await runner.query('select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass', [records])) as { name: string }[];
  for (const { name } of days) {
    const day = name.slice(-8);
    await runner.query(`create table ${runs}_${day} partition of ${runs} for values from ('${day}') to ('${day}'::date + 1) ${DAY_STORAGE}`);
  }
  await runner.query(`
    insert into ${runs} (partition, last_offset, day, records, text_bytes, encoding, content)
    select partition, offset_number, day, 1, octet_length(content), 0, content
    from ${records}, convert_to(key || chr(30) || value, 'UTF8') as content`);
  await runner.query(`drop table ${records}`);
}
