import { describe, expect, it } from '@jest/globals';
import { packRuns, RunEncoding, unpackRun } from './record-run.js';

const receipt = (partition: number, number: number, characters = 3600) =>
  ({ partition, key: `default 1.2.${partition}`, value: JSON.stringify({ number, name: 'Müller^Jürgen', filler: '0008103E LO '.repeat(characters / 12) }) });

describe('runs of records', () => {
  it('give back keys and values in their order, per partition', async () => {
    const records = Array.from({ length: 1200 }, (_, number) => receipt(number % 3, number));
    const runs = await packRuns(records);
    expect(runs.map(({ partition, records: count }) => [partition, count])).toEqual([0, 1, 2].flatMap((partition) => [[partition, 128], [partition, 128], [partition, 128], [partition, 16]]));
    expect(runs.flatMap((run) => unpackRun(run).map(({ key, value }) => ({ partition: run.partition, key, value: value.toString() })))).toEqual([0, 1, 2].flatMap((partition) => records.filter((record) => record.partition === partition)));
  });

  it('take a twentieth of the text of receipts that are alike', async () => {
    const [run] = await packRuns(Array.from({ length: 100 }, (_, number) => receipt(0, number)));
    expect(run!.encoding).toBe(RunEncoding.zstd);
    expect(run!.content.length).toBeLessThan(run!.textBytes / 20);
  });

  it('leave short texts as they are', async () => {
    const [run] = await packRuns([{ partition: 4, key: 'k', value: '{"a":1}' }]);
    expect(run).toMatchObject({ partition: 4, records: 1, encoding: RunEncoding.plain, textBytes: 9 });
    expect(unpackRun(run!)).toEqual([{ key: 'k', value: Buffer.from('{"a":1}') }]);
  });

  it('end after 128 records or half a million characters', async () => {
    expect((await packRuns(Array.from({ length: 300 }, (_, number) => receipt(0, number, 120)))).map(({ records }) => records)).toEqual([128, 128, 44]);
    expect((await packRuns(Array.from({ length: 5 }, (_, number) => receipt(0, number, 240_000)))).map(({ records }) => records)).toEqual([2, 2, 1]);
  });
});
