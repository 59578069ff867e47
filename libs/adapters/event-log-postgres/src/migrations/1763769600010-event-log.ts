// Purpose: the event log in PostgreSQL: topics, positions, groups. Lock: none (new tables). Duration: instant.
// Backward compatible: yes (first migration). The records of a topic are in a table of their own (see record-tables.ts).
import type { MigrationInterface, QueryRunner } from 'typeorm';

const up = `
create table event_log.topic (
  topic_id    smallint generated always as identity primary key,
  name        text not null unique,
  partitions  smallint not null,
  created_at  timestamptz not null default now()
);

-- The row lock of a partition is held to the commit of the append: offset order is commit order, and there are no gaps.
create table event_log.log_position (
  topic_id     smallint not null references event_log.topic,
  partition    smallint not null,
  -- offset of the next record
  next_offset  bigint not null default 0,
  primary key (topic_id, partition)
) with (fillfactor = 40);

create table event_log.consumer_group (
  -- also the first half of the advisory lock keys of its partitions, hence the high start
  group_id  integer generated always as identity (start with 1900000001) primary key,
  topic_id  smallint not null references event_log.topic,
  name      text not null,
  unique (topic_id, name)
);

create table event_log.group_progress (
  group_id     integer not null references event_log.consumer_group,
  partition    smallint not null,
  -- offset of the next record to be handed over
  next_offset  bigint not null default 0,
  primary key (group_id, partition)
) with (fillfactor = 40);
`;

export class EventLog1763769600010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(up);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
