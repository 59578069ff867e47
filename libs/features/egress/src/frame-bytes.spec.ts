import { describe, expect, it } from '@jest/globals';
import { bitsFrom, fragmentsOf, toLittleEndian } from './frame-bytes.js';

const item = (value: Buffer): Buffer => {
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(value.length, 4);
  return Buffer.concat([head, value]);
};

describe('fragmentsOf', () => {
  it('strips item headers and ends at the delimiter', () => {
    const delimiter = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    expect(fragmentsOf(Buffer.concat([item(Buffer.from('ab')), item(Buffer.from('cdef')), delimiter, Buffer.from('rest')])).map(String)).toEqual(['ab', 'cdef']);
  });
  it.each([['no item', Buffer.from('12345678')], ['a length beyond the end', item(Buffer.from('abcd')).subarray(0, 10)], ['a piece of a header', item(Buffer.from('ab')).subarray(0, 5)]])('refuses %s', (_, bytes) => {
    expect(() => fragmentsOf(bytes)).toThrow(/frame index/);
  });
});

describe('bitsFrom', () => {
  it('gives each bit-packed frame from its own first bit on', () => {
    // Three frames of 5 bits, least significant first: 10110, 01101, 11001.
    const bits = [1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1];
    const packed = Buffer.alloc(2);
    bits.forEach((bit, index) => (packed[index >> 3]! |= bit << (index & 7)));
    expect([0, 1, 2].map((frame) => bitsFrom(packed.subarray((frame * 5) >> 3), (frame * 5) & 7, 5)[0])).toEqual([0b01101, 0b10110, 0b10011]);
  });
});

describe('toLittleEndian', () => {
  it('turns words and leaves bytes that are no whole words', () => {
    expect([...toLittleEndian(Buffer.from([1, 2, 3, 4]), 2)]).toEqual([2, 1, 4, 3]);
    expect([...toLittleEndian(Buffer.from([1, 2, 3, 4]), 4)]).toEqual([4, 3, 2, 1]);
    expect([...toLittleEndian(Buffer.from([1, 2, 3]), 2)]).toEqual([1, 2, 3]);
  });
});
