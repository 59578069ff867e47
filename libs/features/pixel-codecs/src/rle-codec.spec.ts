import { describe, expect, it } from '@jest/globals';
import { CodestreamError } from './codestream-error.js';
import { rleCodec } from './rle-codec.js';
import { grey } from './test-parts/generated-image.js';

const frame = (...segment: number[]): Buffer => {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(64, 4);
  return Buffer.concat([header, Buffer.from(segment)]);
};
const module = grey(8, 8, 0, { rows: 2, columns: 4 });
const encode = (pixels: number[], columns: number): Buffer => Buffer.from(rleCodec.encode!(Buffer.from(pixels), grey(8, 8, 0, { rows: pixels.length / columns, columns })) as Uint8Array).subarray(64);

describe('B5: RLE (PS3.5 Annex G)', () => {
  it('given runs, literals, a byte that means nothing and padding, when they are decoded, then as §G.3.2 says', () => {
    expect(rleCodec.decode(frame(0xfe, 7, 0x80, 4, 1, 2, 3, 4, 5, 0), module)).toEqual(Uint8Array.of(7, 7, 7, 1, 2, 3, 4, 5));
  });
  it('given runs and literals, when they are encoded, then they end with the row, and the segment is even', () => {
    expect(encode([5, 5, 5, 5, 5, 5, 1, 2, 2, 2, 2, 3], 6)).toEqual(Buffer.of(0xfb, 5, 0, 1, 0xfd, 2, 0, 3));
    expect(encode([1, 2, 3, 4], 4)).toEqual(Buffer.of(3, 1, 2, 3, 4, 0));
  });
  it('given more than 128 equal or different bytes, when they are encoded and decoded, then nothing is lost', () => {
    const pixels = [...Array.from({ length: 300 }, () => 9), ...Array.from({ length: 300 }, (_, index) => (index * 7) % 251)];
    const wide = grey(8, 8, 0, { rows: 1, columns: 600 });
    expect(Buffer.from(rleCodec.decode(rleCodec.encode!(Buffer.from(pixels), wide) as Uint8Array, wide) as Uint8Array)).toEqual(Buffer.from(pixels));
  });
  it.each([
    ['a literal behind the end', frame(9, 1, 2)], ['a run past the last pixel', frame(0x81, 1)], ['too few pixels', frame(0xff, 1)], ['no segment', Buffer.alloc(64)], ['half a header', Buffer.alloc(63)],
  ])('given %s, when it is decoded, then it is refused', (_name, bytes) => {
    expect(() => rleCodec.decode(bytes, module)).toThrow(CodestreamError);
  });
});
