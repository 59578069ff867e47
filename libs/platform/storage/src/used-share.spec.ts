import { describe, expect, it } from '@jest/globals';
import { usedShare } from './used-share.js';

describe('usedShare', () => {
  it('given blocks that only root may have, then they count neither as used nor as free', () => {
    expect(usedShare({ blocks: 1000, bfree: 250, bavail: 250 })).toBe(0.75);
    expect(usedShare({ blocks: 1050, bfree: 300, bavail: 250 })).toBe(0.75);
    expect(usedShare({ blocks: 1050, bfree: 50, bavail: 0 })).toBe(1);
  });

  it('given a file system without blocks, then it is empty', () => {
    expect(usedShare({ blocks: 0, bfree: 0, bavail: 0 })).toBe(0);
  });
});
