// Purpose: outbox, consumer progress, jobs and dead letters of the control plane. Lock: none (new tables). Duration: instant.
// Backward compatible: yes (only new tables).
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { queueTables } from '../../queue-tables.js';

const deadLetter = `
create table control.dead_letter (
  id             uuid primary key,
  topic          text not null,
  partition      integer not null,
  offset_number  bigint not null,
  -- the one group whose handler gave up; a replay goes to it alone
  group_name     text not null,
  key            text not null,
  error_code     text not null,
  -- plain words, without patient data
  reason         text not null,
  attempts       integer not null,
  -- the record's value, unchanged
  original       text not null,
  state          text not null default 'open' check (state in ('open', 'replayed', 'discarded')),
  created_at     timestamptz not null default now(),
  settled_at     timestamptz
);
-- a record that comes again after a crash is not listed twice
create unique index dead_letter_record on control.dead_letter (topic, group_name, partition, offset_number);
-- open letters of a group, oldest first
create index dead_letter_open on control.dead_letter (group_name, created_at) where state = 'open';
`;

export class ControlQueues1763769600002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(queueTables('control'));
    await runner.query(deadLetter);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
