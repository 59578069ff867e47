// Purpose: who has a landing area open says so, and an area whose owner is not heard of any more is worked off by another process. Lock: none (a new
// table). Duration: instant. Backward compatible: yes; owners of an older release have no row, and get one from whoever looks for areas to adopt, so
// they must be replaced within landing.adoptAfter of the first process of this release.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LandingOwners1795732800004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table imaging.landing_owner (
      owner          text primary key,
      -- by the clock of the database, as everything here
      seen_at        timestamptz not null,
      -- the process that works the area off, until the owner opens it again
      adopter        uuid,
      adopted_until  timestamptz,
      -- nothing is left in the area
      is_drained     boolean not null default false
    )`);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
