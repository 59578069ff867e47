import { describe, expect, it } from '@jest/globals';
import { CodestreamError } from './codestream-error.js';
import { jpegHeader } from './jpeg-header.js';

const marker = (code: number, ...content: number[]): number[] => [0xff, code, (content.length + 2) >> 8, (content.length + 2) & 0xff, ...content];
const jpeg = (...segments: number[][]): Buffer => Buffer.from([0xff, 0xd8, ...segments.flat()]);
const frame = (code: number): number[] => marker(code, 12, 0, 100, 0, 200, 1, 1, 0x11, 0);
const text = (value: string): number[] => [...Buffer.from(value, 'latin1')];

describe('jpegHeader', () => {
  it.each([[0xc0, 0], [0xc1, 1], [0xc3, 3], [0xf7, 55]])('given the marker %i, when the header is read, then it is of its process', (code, process) => {
    expect(jpegHeader(jpeg(marker(0xdb, 0, 0), [0xff], frame(code)))).toEqual({ process, precision: 12, rows: 100, columns: 200, components: 1, isYcc: false });
  });
  it.each([['JFIF', marker(0xe0, ...text('JFIF\0'), 1, 1), true], ['Adobe with a transform', marker(0xee, ...text('Adobe'), 0, 100, 0, 0, 0, 0, 1), true], ['Adobe without', marker(0xee, ...text('Adobe'), 0, 100, 0, 0, 0, 0, 0), false]])(
    'given a segment of %s, when the header is read, then it is known whether the colours are YCbCr', (_name, segment, isYcc) => {
      expect(jpegHeader(jpeg(segment, frame(0xc0))).isYcc).toBe(isYcc);
    },
  );
  it.each([['nothing', Buffer.alloc(0)], ['a scan first', jpeg(marker(0xda, 1))], ['no marker', jpeg([1, 2, 3, 4])], ['a cut frame header', jpeg(frame(0xc0)).subarray(0, 9)], ['a length of 0', jpeg([0xff, 0xe0, 0, 0, 0, 0])]])(
    'B5: given %s, when the header is read, then it is refused', (_name, bytes) => {
      expect(() => jpegHeader(bytes)).toThrow(CodestreamError);
    },
  );
});
