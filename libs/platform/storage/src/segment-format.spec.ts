import { describe, expect, it } from '@jest/globals';
import {
  FOOTER_BYTES, HEAD_BYTES, decodeFooter, decodeHead, decodeReference, encodeFooter, encodeHead, encodeReference, type RecordHead,
} from './segment-format.js';

const head: RecordHead = {
  kind: 'object', generation: 0x1_2345_6789, sequence: 2 ** 45, durableSequence: 7, nextBytes: 6 * 2 ** 30, objectBytes: 5 * 2 ** 30, receiptBytes: 4000, receiptCrc: 0xdeadbeef,
};

describe('The head of a record', () => {
  it('is read as it was written, beyond 32 bits too', () => {
    expect(decodeHead(encodeHead(head))).toEqual(head);
    expect(decodeHead(Buffer.concat([Buffer.alloc(5), encodeHead({ ...head, kind: 'reference' })]), 5)).toEqual({ ...head, kind: 'reference' });
  });

  it('is as documented', () => {
    const bytes = encodeHead(head);
    expect(bytes).toHaveLength(HEAD_BYTES);
    expect(bytes.toString('latin1', 0, 4)).toBe('PNLR');
    expect(bytes.readUInt16LE(4)).toBe(1);
    expect(bytes.readBigUInt64LE(8)).toBe(0x1_2345_6789n);
    expect(bytes.readBigUInt64LE(40)).toBe(5n * 2n ** 30n);
    expect(encodeFooter(bytes, 1).toString('latin1', 0, 4)).toBe('PNLF');
  });

  it('is refused with any bit flipped or cut short', () => {
    const bytes = encodeHead(head);
    for (let bit = 0; bit < HEAD_BYTES * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeHead(flipped)).toBeNull();
    }
    for (let length = 0; length < HEAD_BYTES; length += 1) expect(decodeHead(bytes.subarray(0, length))).toBeNull();
    expect(decodeHead(Buffer.alloc(HEAD_BYTES))).toBeNull();
  });
});

describe('The footer of a record', () => {
  it('belongs to one head alone, and is refused with any bit flipped', () => {
    const encoded = encodeHead(head);
    const footer = encodeFooter(encoded, 0x1234);
    expect(decodeFooter(footer, 0, encoded)).toBe(0x1234);
    expect(decodeFooter(footer, 0, encodeHead({ ...head, generation: head.generation - 1 }))).toBeNull();
    expect(decodeFooter(footer, 0, encodeHead({ ...head, receiptBytes: 1 }))).toBeNull();
    for (let bit = 0; bit < FOOTER_BYTES * 8; bit += 1) {
      const flipped = Buffer.from(footer);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeFooter(flipped, 0, encoded)).toBeNull();
    }
  });
});

it('A reference is read as it was written', () => {
  const reference = { generation: 2 ** 40 + 1, objectBytes: 6 * 2 ** 30 };
  expect(decodeReference(encodeReference(reference))).toEqual(reference);
});
