// Purpose: outbox, consumer progress and jobs of the imaging plane, and the change feed. Lock: none (new tables).
// Duration: instant. Backward compatible: yes (only new tables).
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { queueTables } from '../../queue-tables.js';

const studyChange = `
create table imaging.study_change (
  -- Given by the relay after the commit, by one relay at a time: a reader that has seen n misses nothing below n.
  sequence            bigint generated always as identity primary key,
  tenant_id           text not null,
  bucket              smallint not null,
  study_instance_uid  text collate "C" not null,
  study_version       integer not null,
  reasons             text[] not null,
  occurred_at         timestamptz not null
);
-- pages of the change feed
create index study_change_feed on imaging.study_change (tenant_id, sequence);
`;

export class ImagingQueues1763769600003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(queueTables('imaging'));
    await runner.query(studyChange);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
