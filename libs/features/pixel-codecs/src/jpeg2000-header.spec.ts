import { describe, expect, it } from '@jest/globals';
import { CodestreamError } from './codestream-error.js';
import { jpeg2000Header } from './jpeg2000-header.js';

const text = (value: string): number[] => [...Buffer.from(value, 'latin1')];

function jpeg2000({ components = [[11, 1, 1]], offset = 0, tileBytes = 20 }: { components?: number[][]; offset?: number; tileBytes?: number } = {}): Buffer {
  const size = Buffer.alloc(42 + 3 * components.length);
  size.writeUInt32BE(0xff4fff51, 0);
  size.writeUInt16BE(38 + 3 * components.length, 4);
  [200, 100, offset, offset, 200, 100].forEach((value, index) => size.writeUInt32BE(value, 8 + 4 * index));
  size.writeUInt16BE(components.length, 40);
  size.set(components.flat(), 42);
  const tilePart = Buffer.alloc(20);
  tilePart.writeUInt32BE(0xff90000a, 0);
  tilePart.writeUInt32BE(tileBytes, 6);
  return Buffer.concat([size, tilePart, Buffer.of(0xff, 0xd9)]);
}

describe('jpeg2000Header', () => {
  const expected = { rows: 100, columns: 200, components: 1, precision: 12 };
  it('given a codestream, alone or in a JP2 file, when its header is read, then it is known what it claims', () => {
    const boxes = Buffer.concat([Buffer.from([0, 0, 0, 12, ...text('jP  '), 13, 10, 0x87, 10, 0, 0, 0, 0]), Buffer.from(text('jp2c')), jpeg2000()]);
    expect([jpeg2000Header(jpeg2000()), jpeg2000Header(boxes), jpeg2000Header(jpeg2000({ tileBytes: 0 }))]).toEqual([expected, expected, expected]);
  });
  it.each([
    ['a tile-part that is not all there', jpeg2000({ tileBytes: 23 })], ['a tile-part of no length', jpeg2000({ tileBytes: 3 })], ['an offset', jpeg2000({ offset: 1 })], ['subsampling', jpeg2000({ components: [[7, 1, 1], [7, 2, 1], [7, 2, 1]] })],
    ['different bits', jpeg2000({ components: [[7, 1, 1], [8, 1, 1], [7, 1, 1]] })], ['no tile', jpeg2000().subarray(0, 45)], ['half a header', jpeg2000().subarray(0, 30)], ['a JP2 file without a codestream', Buffer.from([0, 0, 0, 12, ...text('jP  '), 13, 10, 0x87, 10])],
  ])('B5: given %s, when its header is read, then it is refused', (_name, bytes) => {
    expect(() => jpeg2000Header(bytes)).toThrow(CodestreamError);
  });
});
