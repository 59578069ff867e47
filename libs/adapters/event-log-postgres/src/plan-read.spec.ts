import { describe, expect, it } from '@jest/globals';
import { array, assert, integer, nat, property, tuple } from 'fast-check';
import { fairShare, planRead } from './plan-read.js';

describe('planRead', () => {
  it('gives a busy partition what the quiet ones leave', () => {
    const backlogs = [{ partition: 0, nextOffset: 10, endOffset: 5010 }, { partition: 1, nextOffset: 7, endOffset: 10 }, { partition: 2, nextOffset: 4, endOffset: 4 }];
    expect(planRead(backlogs, 2000)).toEqual([{ partition: 0, firstOffset: 10, records: 1997 }, { partition: 1, firstOffset: 7, records: 3 }]);
  });

  it('never exceeds the batch, never leaves room while records wait', () => {
    const backlog = tuple(nat(1000), nat(1000));
    assert(property(array(backlog, { maxLength: 8 }), integer({ min: 1, max: 2000 }), (lengths, max) => {
      const backlogs = lengths.map(([nextOffset, pending], partition) => ({ partition, nextOffset, endOffset: nextOffset + pending }));
      const planned = planRead(backlogs, max).reduce((sum, { records }) => sum + records, 0);
      expect(planned).toBe(Math.min(max, lengths.reduce((sum, [, pending]) => sum + pending, 0)));
    }));
  });

  it('shares partitions so that all are owned', () => {
    expect([1, 2, 3, 8, 9].map((members) => fairShare(8, members))).toEqual([8, 4, 3, 1, 1]);
  });
});
