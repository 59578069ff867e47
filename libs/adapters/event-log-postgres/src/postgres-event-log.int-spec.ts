import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@perennia/errors';
import type { LogRecord } from '@perennia/messaging';
import { cloneTemplateDatabase, eventLogContract, startStuckMember, type TestDatabase } from '@perennia/testing';
import { createLogger, SystemClock } from '@perennia/telemetry';
import { migrateSchema } from '@perennia/persistence';
import { EventLog1763769600010 } from './migrations/1763769600010-event-log.js';
import { PostgresEventLog } from './postgres-event-log.js';

const log = createLogger('event-log-test', 'silent');

eventLogContract('PostgresEventLog', async () => {
  const database = await cloneTemplateDatabase();
  return {
    open: () => PostgresEventLog.open({ url: database.url, log }),
    startStuckMember: async (topic, group) => startStuckMember(new URL('./stuck-member.child.ts', import.meta.url), [database.url, topic, group]),
    close: () => database.close(),
  };
});

describe('PostgresEventLog', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await cloneTemplateDatabase();
  });
  afterAll(() => database.close());

  class MovableClock extends SystemClock {
    aheadMs = 0;
    override nowMs(): number {
      return super.nowMs() + this.aheadMs;
    }
  }

  it('drops whole days after their retention and goes on beyond the gap', async () => {
    const clock = new MovableClock();
    const eventLog = await PostgresEventLog.open({ url: database.url, log, clock });
    await eventLog.append('days', [{ partition: 0, key: 'k', value: '"old"' }]);
    clock.aheadMs = 10 * 86_400_000;
    await eventLog.append('days', [{ partition: 0, key: 'k', value: '"new"' }]);
    expect(await eventLog.dropOld('days', 7)).toHaveLength(2);
    expect(await eventLog.dropOld('days', 7)).toEqual([]);
    const values = await new Promise<string[]>((resolve, reject) => {
      eventLog.subscribe({ topic: 'days', group: 'g', maxRecords: 10, handle: async (records) => resolve(records.map(({ value }) => value.toString())) }).catch(reject);
    });
    expect(values).toEqual(['"new"']);
    await eventLog.close();
  });

  it('refuses another number of partitions than it was made with', async () => {
    const eventLog = await PostgresEventLog.open({ url: database.url, log, partitions: 16 });
    await expect(eventLog.append('days', [{ partition: 0, key: 'k', value: '1' }])).rejects.toBeInstanceOf(ConfigurationError);
    await eventLog.close();
  });

  it('goes on by itself when the server ends all its connections', async () => {
    const eventLog = await PostgresEventLog.open({ url: database.url, log });
    const seen: string[] = [];
    let arrived: (() => void) | undefined;
    await eventLog.subscribe({ topic: 'cut', group: 'g', maxRecords: 10, handle: async (records) => {
      seen.push(...records.map(({ value }) => value.toString()));
      arrived?.();
    } });
    await database.imaging.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'perennia-log%'`);
    const again = new Promise<void>((resolve) => (arrived = resolve));
    await eventLog.append('cut', [{ partition: 0, key: 'k', value: '1' }]).catch(() => eventLog.append('cut', [{ partition: 0, key: 'k', value: '1' }]));
    await again;
    expect(seen).toContain('1');
    await eventLog.close();
  });

  it('keeps what was in the log when one row was one record', async () => {
    const older = await cloneTemplateDatabase();
    await migrateSchema(older.url, 'event_log', [EventLog1763769600010]);
    for (const statement of [
      `insert into event_log.topic (name, partitions) values ('older', 8)`,
      `insert into event_log.log_position select 1, partition, case partition when 2 then 3 else 0 end from generate_series(0, 7) as partition`,
      `create table event_log.record_1 (partition smallint, offset_number bigint, day date, key text, value text, primary key (partition, offset_number, day)) partition by range (day)`,
      `create table event_log.record_1_20251123 partition of event_log.record_1 for values from ('2025-11-23') to ('2025-11-24')`,
      `create table event_log.record_1_20251124 partition of event_log.record_1 for values from ('2025-11-24') to ('2025-11-25')`,
      `insert into event_log.record_1 select 2, n, '2025-11-23'::date + n / 2, 'Schlüssel', '{"n":' || n || '}' from generate_series(0, 2) as n`,
    ]) await older.imaging.query(statement);
    const eventLog = await PostgresEventLog.open({ url: older.url, log });
    await eventLog.append('older', [{ partition: 2, key: 'k', value: '{"n":3}' }]);
    const seen: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      const handle = async (records: readonly LogRecord[]): Promise<void> => {
        seen.push(...records.map(({ offset, key, value }) => [offset, key, value.toString()]));
        if (seen.length === 4) resolve();
      };
      eventLog.subscribe({ topic: 'older', group: 'g', maxRecords: 10, handle }).catch(reject);
    });
    expect(seen).toEqual([[0, 'Schlüssel', '{"n":0}'], [1, 'Schlüssel', '{"n":1}'], [2, 'Schlüssel', '{"n":2}'], [3, 'k', '{"n":3}']]);
    await eventLog.close();
    await older.close();
  });
});
