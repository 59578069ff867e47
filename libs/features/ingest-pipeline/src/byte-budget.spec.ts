import { describe, expect, it } from '@jest/globals';
import { ByteBudget } from './byte-budget.js';

describe('ByteBudget', () => {
  it('lets everyone go on below the limit', () => {
    const budget = new ByteBudget(100);
    expect(budget.take(60)).toBeUndefined();
    expect(budget.take(40)).toBeUndefined();
    expect(budget.inFlightBytes).toBe(100);
  });

  it('makes whoever exceeds it wait until enough was given back', async () => {
    const budget = new ByteBudget(100);
    void budget.take(100);
    let resumed = false;
    const waiting = budget.take(50)!.then(() => (resumed = true));
    budget.give(30);
    await Promise.resolve();
    expect(resumed).toBe(false);
    budget.give(30);
    await waiting;
    expect(resumed).toBe(true);
  });

  it('lets one chunk above the whole limit through once the rest is gone', async () => {
    const budget = new ByteBudget(10);
    const wait = budget.take(25);
    expect(wait).toBeInstanceOf(Promise);
    budget.give(25);
    await wait;
    expect(budget.inFlightBytes).toBe(0);
  });
});
