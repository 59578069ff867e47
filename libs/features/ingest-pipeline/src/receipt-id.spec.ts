import { describe, expect, it } from '@jest/globals';
import { newReceiptId } from './receipt-id.js';

describe('newReceiptId', () => {
  it('given many within a millisecond, and a clock that is set back, then each is greater than the one before', () => {
    const times = [...Array.from({ length: 600 }, () => 1_800_000_000_000), 1_800_000_000_001, 1_799_999_999_000, 1_800_000_000_002];
    const ids = times.map((nowMs) => newReceiptId(nowMs));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
