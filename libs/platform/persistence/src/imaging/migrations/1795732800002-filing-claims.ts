// Purpose: several copies of the lifecycle service share filing: who files a study says so. Not logged, since a claim means nothing after the
// server was restarted. Lock: none (a new table). Duration: instant. Backward compatible: yes.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class FilingClaims1795732800002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create unlogged table imaging.filing_claim (
      study_id  uuid primary key,
      -- the process that files it, until it has not been heard of for a while
      owner     text not null,
      until     timestamptz not null
    )`);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
