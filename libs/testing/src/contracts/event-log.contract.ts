// What every EventLog keeps to: order per partition, groups, redelivery, replay, sharing between members, takeover of a killed
// one. Call it in a test file with a harness for the adapter.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MAX_RECORD_BYTES } from '@perennia/contracts';
import { ConflictError, InvalidInputError, LimitExceededError } from '@perennia/errors';
import type { EventLog, LogRecord, NewLogRecord, Subscription } from '@perennia/messaging';

/** A member in a process of its own that never finishes its first batch. */
export interface StuckMember {
  /** How many records it has in hand. */
  holding: Promise<number>;
  /** kill -9, or the nearest to it. */
  kill(): Promise<void>;
}
export interface EventLogHarness {
  /** Another process's view of the same log, 8 partitions; closed by the suite. */
  open(): Promise<EventLog>;
  startStuckMember(topic: string, group: string): Promise<StuckMember>;
  close(): Promise<void>;
}

/** Collects what a member is given. */
class Collector {
  readonly records: LogRecord[] = [];
  private readonly waiting: { enough(): boolean; resolve(): void }[] = [];
  subscription: Subscription | undefined;

  static async start(log: EventLog, topic: string, group: string, maxRecords = 100): Promise<Collector> {
    const collector = new Collector();
    collector.subscription = await log.subscribe({ topic, group, maxRecords, handle: async (records) => collector.take(records) });
    return collector;
  }
  take(records: readonly LogRecord[]): void {
    this.records.push(...records);
    for (const { enough, resolve } of this.waiting) if (enough()) resolve();
  }
  has(count: number): Promise<void> {
    return this.until(() => this.records.length >= count);
  }
  until(enough: () => boolean): Promise<void> {
    return enough() ? Promise.resolve() : new Promise((resolve) => this.waiting.push({ enough, resolve }));
  }
  values(partition: number): string[] {
    return this.records.filter((record) => record.partition === partition).map(({ value }) => value.toString());
  }
}

const record = (partition: number, number: number): NewLogRecord => ({ partition, key: `key ${partition}`, value: JSON.stringify({ partition, number }) });
const numbered = (partition: number, count: number, from = 0): NewLogRecord[] => Array.from({ length: count }, (_, n) => record(partition, from + n));
const sized = (bytes: number): NewLogRecord => ({ partition: 0, key: 'k', value: `"${'ü'.repeat(bytes / 2 - 1)}"` });
const texts = (records: readonly NewLogRecord[]): string[] => records.map(({ value }) => value.toString());

export function eventLogContract(name: string, makeHarness: () => Promise<EventLogHarness>): void {
  describe(`${name} keeps the contract of EventLog`, () => {
    let harness: EventLogHarness;
    let log: EventLog;
    let topics = 0;
    const opened: EventLog[] = [];
    const newTopic = (): string => `topic.${++topics}`;
    const open = async (): Promise<EventLog> => {
      const another = await harness.open();
      opened.push(another);
      return another;
    };
    beforeAll(async () => {
      harness = await makeHarness();
      log = await open();
    });
    afterAll(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await harness.close();
    });

    it('gives records of a partition in the order of their appends, unchanged', async () => {
      const topic = newTopic();
      const odd: NewLogRecord = { partition: 3, key: 'späte Übung', value: '{ "n" :1e0,"t":"\\u0000 \\" 山田^太郎 \u2028" }' };
      await log.append(topic, [{ ...odd, value: Buffer.from(odd.value) }]);
      await Promise.all([log.append(topic, [odd]), log.append(topic, numbered(3, 250)), log.append(topic, numbered(5, 50)), log.append(topic, numbered(3, 250, 250))]);
      const seen = await Collector.start(log, topic, 'order', 64);
      await seen.has(552);
      expect(seen.values(3)).toEqual([odd.value, odd.value, ...texts(numbered(3, 500))]);
      expect(seen.records[0]).toMatchObject({ topic, key: seen.records[0]!.partition === 3 ? odd.key : 'key 5' });
      expect(seen.values(5)).toEqual(texts(numbered(5, 50)));
      const offsets = seen.records.filter(({ partition }) => partition === 3).map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      await seen.subscription!.close();
    });

    it('keeps the order of one producer across processes', async () => {
      const topic = newTopic();
      const producers = [await open(), await open()];
      await Promise.all(producers.map(async (producer, index) => {
        for (let n = 0; n < 20; n++) await producer.append(topic, [{ partition: 1, key: 'k', value: JSON.stringify([index, n]) }, { partition: 6, key: 'k', value: JSON.stringify([index, n]) }]);
      }));
      const seen = await Collector.start(log, topic, 'order');
      await seen.has(80);
      for (const partition of [1, 6]) {
        for (const index of [0, 1]) {
          const numbers = seen.values(partition).map((text) => JSON.parse(text) as [number, number]).filter(([from]) => from === index).map(([, n]) => n);
          expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n));
        }
      }
      await seen.subscription!.close();
    });

    it('hands over at most maxRecords at a time, one call at a time', async () => {
      const topic = newTopic();
      for (let partition = 0; partition < 8; partition++) await log.append(topic, numbered(partition, 30));
      const sizes: number[] = [];
      let active = 0;
      const seen = new Collector();
      const subscription = await log.subscribe({
        topic, group: 'size', maxRecords: 50,
        handle: async (records) => {
          expect(++active).toBe(1);
          await new Promise(setImmediate);
          active--;
          sizes.push(records.length);
          seen.take(records);
        },
      });
      await seen.has(240);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(50);
      await subscription.close();
    });

    it('gives every group all records, new ones while it waits', async () => {
      const topic = newTopic();
      const [a, b] = [await Collector.start(log, topic, 'a'), await Collector.start(log, topic, 'b')];
      await log.append(topic, numbered(0, 3));
      await Promise.all([a.has(3), b.has(3)]);
      const other = await open();
      await other.append(topic, numbered(0, 3, 3));
      await Promise.all([a.has(6), b.has(6)]);
      expect(a.values(0)).toEqual(b.values(0));
      await a.subscription!.close();
      await b.subscription!.close();
    });

    it('gives the same records again when the handler rejects', async () => {
      const topic = newTopic();
      await log.append(topic, numbered(2, 10));
      const calls: string[][] = [];
      const seen = new Collector();
      const subscription = await log.subscribe({
        topic, group: 'again', maxRecords: 10,
        handle: async (records) => {
          calls.push(texts(records));
          if (calls.length < 3) throw new Error('not now');
          seen.take(records);
        },
      });
      await seen.has(10);
      await subscription.close();
      expect(calls).toEqual([calls[0], calls[0], calls[0]]);
      expect(await log.lag(topic, 'again').then((lags) => lags.find(({ partition }) => partition === 2))).toEqual({ partition: 2, committedOffset: 10, endOffset: 10 });
    });

    it('goes on after a restart where progress was stored', async () => {
      const topic = newTopic();
      const first = await open();
      await first.append(topic, numbered(4, 5));
      const before = await Collector.start(first, topic, 'restart');
      await before.has(5);
      await before.subscription!.close();
      await first.append(topic, numbered(4, 5, 5));
      await first.close();
      const after = await Collector.start(await open(), topic, 'restart');
      await after.has(5);
      expect(after.values(4)).toEqual(texts(numbered(4, 5, 5)));
      await after.subscription!.close();
    });

    it('gives what a killed member had in hand to another one within seconds', async () => {
      const topic = newTopic();
      for (let partition = 0; partition < 8; partition++) await log.append(topic, numbered(partition, 5));
      const stuck = await harness.startStuckMember(topic, 'kill');
      expect(await stuck.holding).toBeGreaterThan(0);
      const survivor = await Collector.start(log, topic, 'kill');
      await stuck.kill();
      await survivor.has(40);
      for (let partition = 0; partition < 8; partition++) expect(survivor.values(partition)).toEqual(texts(numbered(partition, 5)));
      await survivor.subscription!.close();
    }, 20_000);

    it('shares partitions between two members, and hands them over when one leaves', async () => {
      const topic = newTopic();
      const [one, two] = [await Collector.start(log, topic, 'share'), await Collector.start(await open(), topic, 'share')];
      const partitionsOf = (collector: Collector): Set<number> => new Set(collector.records.map(({ partition }) => partition));
      for (let round = 0; partitionsOf(two).size < 4; round++) {
        for (let partition = 0; partition < 8; partition++) await log.append(topic, [record(partition, round)]);
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(round).toBeLessThan(500);
      }
      await one.subscription!.close();
      const before = two.records.length;
      for (let partition = 0; partition < 8; partition++) await log.append(topic, [record(partition, 9999)]);
      await two.until(() => new Set(two.records.slice(before).filter(({ value }) => value.includes('9999')).map(({ partition }) => partition)).size === 8);
      for (let partition = 0; partition < 8; partition++) {
        const all = [...one.values(partition), ...two.values(partition)];
        expect(all).toEqual(all.toSorted((a, b) => JSON.parse(a).number - JSON.parse(b).number));
        expect(new Set(all).size).toBe(all.length);
      }
      await two.subscription!.close();
    }, 30_000);

    it('replays from an offset, the beginning or the end', async () => {
      const topic = newTopic();
      await log.append(topic, [...numbered(0, 10), ...numbered(1, 10)]);
      const read = async (expected: number): Promise<Collector> => {
        const seen = await Collector.start(log, topic, 'replay');
        await seen.has(expected);
        await seen.subscription!.close();
        return seen;
      };
      await read(20);
      await log.seek(topic, 'replay', 7, 0);
      expect(texts((await read(3)).records)).toEqual(texts(numbered(0, 3, 7)));
      await log.seek(topic, 'replay', 'beginning');
      expect((await read(20)).records).toHaveLength(20);
      await log.seek(topic, 'replay', 'beginning');
      await log.seek(topic, 'replay', 'end', 1);
      expect((await read(10)).values(1)).toEqual([]);
    });

    it('refuses to move the progress of a group that has members', async () => {
      const topic = newTopic();
      const seen = await Collector.start(log, topic, 'busy');
      await expect(log.seek(topic, 'busy', 'beginning')).rejects.toBeInstanceOf(ConflictError);
      await seen.subscription!.close();
      await log.seek(topic, 'busy', 'beginning');
    });

    it('tells the lag per partition', async () => {
      const topic = newTopic();
      await log.append(topic, numbered(6, 4));
      const lag = await log.lag(topic, 'nobody yet');
      expect(lag).toHaveLength(8);
      expect(lag[6]).toEqual({ partition: 6, committedOffset: 0, endOffset: 4 });
      expect(lag[7]).toEqual({ partition: 7, committedOffset: 0, endOffset: 0 });
    });

    it('takes records of 256 KiB, refuses larger ones and unknown partitions, and appends nothing of such a call', async () => {
      const topic = newTopic();
      await log.append(topic, [sized(MAX_RECORD_BYTES)]);
      await expect(log.append(topic, [record(0, 1), sized(MAX_RECORD_BYTES + 2)])).rejects.toBeInstanceOf(LimitExceededError);
      await expect(log.append(topic, [record(0, 1), record(8, 1)])).rejects.toBeInstanceOf(InvalidInputError);
      const seen = await Collector.start(log, topic, 'large');
      await seen.has(1);
      expect(await log.lag(topic, 'large').then(([first]) => first!.endOffset)).toBe(1);
      await seen.subscription!.close();
    });
  });
}
