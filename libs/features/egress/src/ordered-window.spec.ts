import { describe, expect, it } from '@jest/globals';
import { orderedWindow } from './ordered-window.js';

describe('orderedWindow', () => {
  it('keeps the order however long each item takes, and never begins more than the width', async () => {
    let begun = 0;
    let taken = 0;
    let most = 0;
    const finish: (() => void)[] = [];
    const work = async (item: number): Promise<number> => {
      most = Math.max(most, ++begun - taken);
      await new Promise<void>((resolve) => {
        finish.push(resolve);
        // The later one of each pair ends first.
        if (finish.length === 2) for (const each of finish.splice(0).toReversed()) each();
      });
      return item;
    };
    const results: number[] = [];
    for await (const item of orderedWindow([1, 2, 3, 4, 5, 6], 2, work)) {
      taken++;
      results.push(item);
    }
    expect(results).toEqual([1, 2, 3, 4, 5, 6]);
    expect(most).toBeLessThanOrEqual(3);
  });
  it('fails at the failed item, after those before it, and waits for what was begun', async () => {
    const ended: number[] = [];
    const work = async (item: number): Promise<number> => {
      await Promise.resolve();
      ended.push(item);
      if (item === 2) throw new Error('second');
      return item;
    };
    const results: number[] = [];
    await expect((async () => {
      for await (const item of orderedWindow([1, 2, 3, 4], 3, work)) results.push(item);
    })()).rejects.toThrow('second');
    expect(results).toEqual([1]);
    expect(ended).toContain(3);
  });
});
