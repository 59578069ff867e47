import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEAD_LETTER, deadLetterSchema } from '@perennia/contracts';
import { InvalidInputError, UnavailableError } from '@perennia/errors';
import { cloneTemplateDatabase, MemoryEventLog, type TestDatabase } from '@perennia/testing';
import { createLogger, Metrics, SystemClock } from '@perennia/telemetry';
import { ConsumerRunner } from './consumer-runner.js';
import { DeadLetters } from './dead-letters.js';
import type { LogRecord } from './event-log.js';

/** Pauses take no time, and are remembered. */
class SwiftClock extends SystemClock {
  readonly pausesMs: number[] = [];
  override async sleep(ms: number): Promise<void> {
    this.pausesMs.push(ms);
    await new Promise(setImmediate);
  }
}

const fill = (eventLog: MemoryEventLog, topic: string, count: number): Promise<void> =>
  eventLog.append(topic, Array.from({ length: count }, (_, n) => ({ partition: 0, key: 'k', value: JSON.stringify({ tenantId: 'default', n }) })));
const numbers = (records: readonly LogRecord[]): number[] => records.map(({ value }) => (JSON.parse(value.toString()) as { n: number }).n);
const committed = async (eventLog: MemoryEventLog, topic: string, count: number): Promise<void> => {
  while ((await eventLog.lag(topic, 'g'))[0]!.committedOffset < count) await new Promise(setImmediate);
};

describe('ConsumerRunner', () => {
  let database: TestDatabase;
  let topics = 0;
  beforeAll(async () => {
    database = await cloneTemplateDatabase();
  });
  afterAll(() => database.close());

  const setUp = (clock = new SwiftClock()) => {
    const eventLog = new MemoryEventLog();
    const deadLetters = new DeadLetters(database.control, eventLog, clock);
    const metrics = new Metrics();
    const runner = new ConsumerRunner({ eventLog, deadLetters, metrics, clock, log: createLogger('test', 'silent') });
    return { eventLog, deadLetters, metrics, runner, clock, topic: `runner.${++topics}` };
  };
  it('bisects a batch down to the one bad record, puts it aside and handles all others in order', async () => {
    const { eventLog, deadLetters, runner, topic } = setUp();
    await fill(eventLog, topic, 100);
    const handled: number[] = [];
    let calls = 0;
    const subscription = await runner.start({ topic, group: 'g', maxRecords: 100, handle: async (records) => {
      calls++;
      if (numbers(records).includes(37)) throw new InvalidInputError('This one is wrong.');
      handled.push(...numbers(records));
    } });
    await committed(eventLog, topic, 100);
    await subscription.close();
    expect(handled).toEqual(Array.from({ length: 100 }, (_, n) => n).filter((n) => n !== 37));
    expect(calls).toBeLessThan(20);
    const letters = (await deadLetters.list({ group: 'g' })).filter((letter) => letter.topic === topic);
    expect(letters).toMatchObject([{ topic, partition: 0, offset: 37, group: 'g', errorCode: 'INVALID_INPUT', reason: 'This one is wrong.', state: 'open' }]);
    const told: LogRecord[] = [];
    const listening = await eventLog.subscribe({ topic: DEAD_LETTER, group: 'admin', maxRecords: 10, handle: async (records) => void told.push(...records) });
    while (told.length === 0) await new Promise(setImmediate);
    await listening.close();
    const { data } = JSON.parse(told[0]!.value.toString()) as { data: unknown };
    expect(deadLetterSchema.parse(data)).toMatchObject({ offset: 37, original: JSON.stringify({ tenantId: 'default', n: 37 }) });
  });

  it('never tells values of the record in the reason of a foreign error', async () => {
    const { eventLog, deadLetters, runner, topic } = setUp();
    await fill(eventLog, topic, 1);
    const subscription = await runner.start({ topic, group: 'g', maxRecords: 1, handle: async () => {
      throw new TypeError('DOE^JANE is not a function');
    } });
    await committed(eventLog, topic, 1);
    await subscription.close();
    const letter = (await deadLetters.list()).find((each) => each.topic === topic);
    expect(letter).toMatchObject({ errorCode: 'UNEXPECTED', reason: 'The handler failed unexpectedly (TypeError).' });
  });

  it('waits with growing pauses while something is unavailable, and skips nothing', async () => {
    const { eventLog, deadLetters, runner, clock, metrics, topic } = setUp();
    await fill(eventLog, topic, 10);
    const handled: number[] = [];
    let failures = 12;
    const subscription = await runner.start({ topic, group: 'g', maxRecords: 4, handle: async (records) => {
      if (failures-- > 0) throw new UnavailableError('The database is down.');
      handled.push(...numbers(records));
    } });
    await committed(eventLog, topic, 10);
    await subscription.close();
    expect(handled).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(clock.pausesMs).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000]);
    expect((await deadLetters.list()).filter((letter) => letter.topic === topic)).toEqual([]);
    expect(await metrics.registry.metrics()).toContain(`vna_consumer_records_total{topic="${topic}",group="g",result="handled"} 10`);
  });

  it('ends a pause when it is closed; the records come again to the next member', async () => {
    const { eventLog, runner, topic } = setUp(new (class extends SwiftClock {
      override sleep(_ms: number, signal?: AbortSignal): Promise<void> {
        return new Promise((resolve) => (signal?.aborted ? resolve() : signal!.addEventListener('abort', () => resolve(), { once: true })));
      }
    })());
    await fill(eventLog, topic, 3);
    const reached = Promise.withResolvers<void>();
    const first = await runner.start({ topic, group: 'g', maxRecords: 10, handle: async () => {
      reached.resolve();
      throw new UnavailableError('down');
    } });
    await reached.promise;
    await first.close();
    const handled: number[] = [];
    const second = await runner.start({ topic, group: 'g', maxRecords: 10, handle: async (records) => void handled.push(...numbers(records)) });
    await committed(eventLog, topic, 3);
    await second.close();
    expect(handled).toEqual([0, 1, 2]);
  });

  it('leaves nothing out when every record is delivered three times', async () => {
    const { eventLog, runner, topic } = setUp();
    await fill(eventLog, topic, 200);
    const deliveries = new Map<number, number>();
    for (let delivery = 0; delivery < 3; delivery++) {
      if (delivery > 0) await eventLog.seek(topic, 'g', 'beginning');
      const subscription = await runner.start({ topic, group: 'g', maxRecords: 7 + delivery, handle: async (records) => {
        for (const n of numbers(records)) deliveries.set(n, (deliveries.get(n) ?? 0) + 1);
      } });
      await committed(eventLog, topic, 200);
      await subscription.close();
    }
    expect(deliveries.size).toBe(200);
    expect(new Set(deliveries.values())).toEqual(new Set([3]));
  });

  it('replays a dead letter to the handler of its group alone', async () => {
    const { eventLog, deadLetters, runner, topic } = setUp();
    await fill(eventLog, topic, 2);
    let broken = true;
    const handled: number[] = [];
    const subscription = await runner.start({ topic, group: 'g', maxRecords: 2, handle: async (records) => {
      if (broken && numbers(records).includes(1)) throw new InvalidInputError('not yet');
      handled.push(...numbers(records));
    } });
    await committed(eventLog, topic, 2);
    const { id } = (await deadLetters.list()).find((letter) => letter.topic === topic)!;
    await expect(deadLetters.replay(id)).rejects.toBeInstanceOf(InvalidInputError);
    broken = false;
    await deadLetters.replay(id);
    expect(handled).toEqual([0, 1]);
    await expect(deadLetters.replay(id)).rejects.toThrow('no open dead letter');
    await subscription.close();
  });
});
