import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { CatalogueStatistics } from './catalogue-statistics.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneTemplateDatabase();
});
afterAll(() => database.close());

const addDirectoryRows = (from: number, count: number) =>
  database.imaging.query(`insert into imaging.sop_directory (tenant_id, sop_instance_uid, bucket, instance_id) select 'default', '1.' || n, 0, gen_random_uuid() from generate_series($1::int, $2) n`, [from, from + count - 1]);

it('analyses early on a fresh catalogue, then each time it has grown by a factor, parents of partitions included', async () => {
  const statistics = new CatalogueStatistics(database.imaging);
  await addDirectoryRows(0, 600);
  expect(await statistics.analyzeWhenGrown(499)).toBe(false);
  expect(await statistics.analyzeWhenGrown(101)).toBe(true);
  const [parent] = await database.imaging.query<{ reltuples: number }>(`select reltuples from pg_class where oid = 'imaging.sop_directory'::regclass`);
  expect(parent!.reltuples).toBe(600);
  expect(await statistics.analyzeWhenGrown(1000)).toBe(false);
  expect(await statistics.analyzeWhenGrown(800)).toBe(true);
  expect(await statistics.analyzeWhenGrown(5000)).toBe(false);
});
