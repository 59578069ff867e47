// Purpose: a smaller sample for the statistics of the widest table, whose queries all go by keys: with the default, analyze holds 30,000 rows
// of 2 KB at once, 60 MB, again and again while an archive grows. Lock: share update exclusive. Duration: instant. Backward compatible: yes.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SAMPLE_TARGET = 30;

export class InstanceSample1764080400005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const columns: { name: string }[] = await runner.query(
      `select quote_ident(attname) as name from pg_attribute where attrelid = 'imaging.instance'::regclass and attnum > 0 and not attisdropped order by attnum`,
    );
    await runner.query(`alter table imaging.instance ${columns.map(({ name }) => `alter column ${name} set statistics ${SAMPLE_TARGET}`).join(', ')}`);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
