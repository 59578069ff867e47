import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeFrameRanges, encodeFrameRanges, frameRange, type FrameRange } from './frame-ranges.js';

describe('frame ranges', () => {
  test('come back as they were written, beyond 4 GiB too', () => {
    const ranges = fc.tuple(fc.nat(), fc.array(fc.tuple(fc.nat({ max: 2 ** 33 }), fc.nat({ max: 2 ** 34 })), { maxLength: 50 })).map(([base, steps]) => {
      const list: FrameRange[] = [];
      let end = base;
      for (const [gap, length] of steps) {
        list.push({ offset: end + gap, length });
        end += gap + length;
      }
      return { base, list };
    });
    fc.assert(fc.property(ranges, ({ base, list }) => {
      expect(decodeFrameRanges(base, encodeFrameRanges(base, list))).toEqual(list);
    }));
  });

  test('one frame is found by its number', () => {
    const index = { kind: 'encapsulated', frames: 2, offset: 100, source: 'basic', ranges: encodeFrameRanges(100, [{ offset: 100, length: 20 }, { offset: 120, length: 7 }]) } as const;
    expect(frameRange(index, 1)).toEqual({ offset: 120, length: 7 });
    expect(frameRange(index, 2)).toBeUndefined();
    expect(frameRange(index, -1)).toBeUndefined();
    expect(frameRange({ kind: 'none' }, 0)).toBeUndefined();
  });

  test('frames of single bits share bytes', () => {
    const index = { kind: 'native', frames: 3, offset: 10, length: 4, frameLengthBits: 9 } as const;
    expect([0, 1, 2].map((frame) => frameRange(index, frame))).toEqual([{ offset: 10, length: 2 }, { offset: 11, length: 2 }, { offset: 12, length: 2 }]);
  });

  test('a damaged index is an error, not a wrong range', () => {
    expect(() => decodeFrameRanges(0, Buffer.of(0x80).toString('base64'))).toThrow(RangeError);
    expect(() => encodeFrameRanges(5, [{ offset: 4, length: 1 }])).toThrow(RangeError);
  });
});
