import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@perennia/errors';
import { cloneTemplateDatabase, eventLogContract, spawnSource, type TestDatabase } from '@perennia/testing';
import { createLogger, SystemClock } from '@perennia/telemetry';
import { PostgresEventLog } from './postgres-event-log.js';

const log = createLogger('event-log-test', 'silent');

eventLogContract('PostgresEventLog', async () => {
  const database = await cloneTemplateDatabase();
  return {
    open: () => PostgresEventLog.open({ url: database.url, log }),
    startStuckMember: async (topic, group) => {
      const child = spawnSource(fileURLToPath(new URL('./stuck-member.child.ts', import.meta.url)), [database.url, topic, group]);
      return {
        holding: once(child, 'message').then(([count]) => count as number),
        kill: async () => {
          const exited = once(child, 'exit');
          child.kill('SIGKILL');
          await exited;
        },
      };
    },
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
      eventLog.subscribe({ topic: 'days', group: 'g', maxRecords: 10, handle: async (records) => resolve(records.map(({ value }) => value)) }).catch(reject);
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
      seen.push(...records.map(({ value }) => value));
      arrived?.();
    } });
    await database.imaging.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'perennia-log%'`);
    const again = new Promise<void>((resolve) => (arrived = resolve));
    await eventLog.append('cut', [{ partition: 0, key: 'k', value: '1' }]).catch(() => eventLog.append('cut', [{ partition: 0, key: 'k', value: '1' }]));
    await again;
    expect(seen).toContain('1');
    await eventLog.close();
  });
});
