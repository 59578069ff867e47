import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Metrics, SystemClock } from '@perennia/telemetry';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { QueueWatch } from './queue-watch.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneTemplateDatabase();
});
afterAll(() => database.close());

it('given an event that waits, a dead letter and an open transaction, then their figures are told', async () => {
  const occurredAt = new Date(Date.now() - 90_000).toISOString();
  await database.imaging.query(`insert into imaging.outbox (topic, bucket, key, value) values ('t', 1, 'k', $1), ('t', 1, 'k', '{"occurredAt":"2099-01-01T00:00:00Z"}')`, [JSON.stringify({ occurredAt })]);
  await database.control.query(
    `insert into control.dead_letter (id, topic, partition, offset_number, group_name, key, error_code, reason, attempts, original)
     values (gen_random_uuid(), 't', 0, 1, 'g', 'k', 'INVALID_INPUT', 'r', 1, '{}')`);
  const metrics = new Metrics();
  const watch = new QueueWatch(database.control, database.imaging, metrics, new SystemClock());
  const valueOf = async (name: string): Promise<number> => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await metrics.text())![1]);
  await database.imaging.transaction(async (sql) => {
    await sql.query('select pg_sleep(0.2)');
    watch.start();
    while ((await valueOf('vna_dead_letters_open')) === 0) await new Promise(setImmediate);
    expect(await valueOf('vna_database_longest_transaction_seconds')).toBeGreaterThanOrEqual(0.2);
  });
  expect(await valueOf('vna_outbox_oldest_seconds')).toBeGreaterThanOrEqual(90);
  expect(await valueOf('vna_outbox_oldest_seconds')).toBeLessThan(150);
  await watch.stop();
});
