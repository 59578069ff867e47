import { describe, expect, it } from '@jest/globals';
import { BlockPool, LARGE_BLOCK_BYTES, SMALL_BLOCK_BYTES } from './block-pool.js';
import { ByteBudget } from './byte-budget.js';

describe('BlockPool', () => {
  it('given a block that came back, then the next who asks for its size gets it', () => {
    const pool = new BlockPool(new ByteBudget(1 << 20));
    const { block } = pool.take(LARGE_BLOCK_BYTES);
    pool.give(block);
    expect(pool.take(SMALL_BLOCK_BYTES).block).not.toBe(block);
    expect(pool.take(LARGE_BLOCK_BYTES).block).toBe(block);
  });

  it('given more blocks than the piece has, then those beyond it are not kept', () => {
    const pool = new BlockPool(new ByteBudget(1 << 30));
    const blocks = Array.from({ length: 40 }, () => pool.take(LARGE_BLOCK_BYTES).block);
    expect(new Set(blocks.map(({ buffer }) => buffer)).size).toBe(9);
    for (const block of blocks) pool.give(block);
    const again = Array.from({ length: 40 }, () => pool.take(LARGE_BLOCK_BYTES).block);
    expect(again.filter((block) => blocks.includes(block))).toHaveLength(32);
  });

  it('given blocks in use, then they count against the budget until they come back', async () => {
    const budget = new ByteBudget(LARGE_BLOCK_BYTES);
    const pool = new BlockPool(budget);
    const first = pool.take(LARGE_BLOCK_BYTES);
    const second = pool.take(LARGE_BLOCK_BYTES);
    expect(first.wait).toBeUndefined();
    expect(second.wait).toBeInstanceOf(Promise);
    pool.give(first.block);
    await second.wait;
    expect(budget.inFlightBytes).toBe(LARGE_BLOCK_BYTES);
  });
});
