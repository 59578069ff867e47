// Purpose: a replay of a dead letter is asked for in one process and done in the one whose handler gave up. Lock: of the table, for
// milliseconds (a column without default, an index on none of its rows). Duration: instant. Backward compatible: yes (a new column).
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DeadLetterReplay1795732800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table control.dead_letter add column replay_requested_at timestamptz');
    // what a consumer looks for every second
    await runner.query(`create index dead_letter_replay on control.dead_letter (replay_requested_at) where state = 'open' and replay_requested_at is not null`);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
