import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { STUDY_CHANGED, type Envelope, type StudyChanged } from '@perennia/contracts';
import { UnavailableError } from '@perennia/errors';
import type { SqlRunner } from '@perennia/persistence';
import { cloneTemplateDatabase, MemoryEventLog, MemoryLogStore, type TestDatabase } from '@perennia/testing';
import { createLogger, SystemClock } from '@perennia/telemetry';
import type { NewLogRecord } from './event-log.js';
import { OutboxRelay } from './outbox-relay.js';
import { OutboxWriter } from './outbox-writer.js';

const changed = (n: number): Envelope<StudyChanged> => ({
  id: randomUUID(), type: STUDY_CHANGED, version: 1, tenantId: 'default', key: 'k', bucket: 1023, occurredAt: new Date(0).toISOString(), producer: 'test',
  data: { studyInstanceUid: `1.2.${n}`, studyVersion: n, reasons: ['instances'], numberOfSeries: 1, numberOfInstances: n },
});

describe('OutboxRelay', () => {
  let database: TestDatabase;
  let store: MemoryLogStore;
  const log = createLogger('test', 'silent');
  const writer = new OutboxWriter('imaging');
  const write = (sql: SqlRunner, ...numbers: number[]): Promise<void> => writer.write(sql, numbers.map(changed));
  const relayOf = (eventLog = new MemoryEventLog(store)): OutboxRelay => new OutboxRelay(database.imaging, eventLog, new SystemClock(), log);
  const told = (): number[] => store.topic(STUDY_CHANGED)[7]!.map(({ value }) => (JSON.parse(value.toString()) as Envelope<StudyChanged>).data.studyVersion);
  const feed = async (): Promise<number[]> =>
    (await database.imaging.query<{ study_version: number }>('select study_version from imaging.study_change order by sequence')).map((row) => row.study_version);

  beforeAll(async () => {
    database = await cloneTemplateDatabase({ poolSize: 6 });
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    store = new MemoryLogStore();
    await database.imaging.query('truncate imaging.outbox, imaging.study_change');
  });

  it('tells what was committed and nothing that was rolled back', async () => {
    await database.imaging.transaction((sql) => write(sql, 1, 2));
    await database.imaging.transaction(async (sql) => {
      await write(sql, 3);
      throw new Error('no');
    }).catch(() => undefined);
    await database.imaging.transaction((sql) => write(sql, 4));
    let turn = await relayOf().turn();
    while (turn !== 'empty') turn = await relayOf().turn();
    expect(told()).toEqual([1, 2, 4]);
    expect(await feed()).toEqual([1, 2, 4]);
    expect(await database.imaging.query('select 1 from imaging.outbox')).toEqual([]);
  });

  it('holds back what is newer than a transaction that is still open, and loses neither', async () => {
    const letGo = Promise.withResolvers<void>();
    const early = Promise.withResolvers<void>();
    const slow = database.imaging.transaction(async (sql) => {
      await write(sql, 1);
      early.resolve();
      await letGo.promise;
    });
    await early.promise;
    await database.imaging.transaction((sql) => write(sql, 2));
    expect(await relayOf().turn()).toBe('held back');
    letGo.resolve();
    await slow;
    let turn = await relayOf().turn();
    while (turn !== 'empty') turn = await relayOf().turn();
    expect(told()).toEqual([1, 2]);
  });

  it('tells again what it had told before a crash, but feeds it once', async () => {
    await database.imaging.transaction((sql) => write(sql, 1));
    class CrashAfterAppend extends MemoryEventLog {
      override async append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
        await super.append(topic, records);
        throw new UnavailableError('The process ends here.');
      }
    }
    const crash = relayOf(new CrashAfterAppend(store));
    let failed = false;
    while (!failed) await crash.turn().then(() => undefined, () => (failed = true));
    await relayOf().turn();
    expect(told()).toEqual([1, 1]);
    expect(await feed()).toEqual([1]);
  });

  it('works alone: a second relay finds the place taken', async () => {
    await database.imaging.transaction((sql) => write(sql, 1));
    let second: string | undefined;
    class Slow extends MemoryEventLog {
      override async append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
        second = await relayOf().turn();
        await super.append(topic, records);
      }
    }
    const first = relayOf(new Slow(store));
    while ((await first.turn()) !== 'relayed') await new Promise(setImmediate);
    expect(second).toBe('elsewhere');
  });

  it('follows commits in the background until it is stopped', async () => {
    const relay = relayOf();
    relay.start();
    for (let n = 1; n <= 20; n++) {
      await database.imaging.transaction((sql) => write(sql, n));
      relay.wake();
    }
    while (told().length < 20) await new Promise(setImmediate);
    await relay.stop();
    expect(told()).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });
});
