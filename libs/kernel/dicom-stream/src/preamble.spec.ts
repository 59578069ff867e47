import { describe, expect, it } from '@jest/globals';
import { disarmPreamble, isHarmlessPreamble, PREAMBLE_BYTES } from './preamble.js';

const preamble = (head: string | number[]): Buffer => Buffer.concat([Buffer.from(head as string), Buffer.alloc(PREAMBLE_BYTES)]).subarray(0, PREAMBLE_BYTES);

describe('preamble', () => {
  it.each([['zeros', []], ['little endian TIFF', [0x49, 0x49, 0x2a, 0]], ['big endian TIFF', [0x4d, 0x4d, 0, 0x2a]]])('given %s, then it is harmless', (_, head) => {
    expect(isHarmlessPreamble(preamble(head))).toBe(true);
  });

  it.each(['MZ', '\x7fELF', '\xfe\xed\xfa\xcf', '#!/bin/sh\n', '%PDF-1.7', '<html>', 'PK\x03\x04', 'II*x'])('given %j, then it is served as zeros and nothing else changes', (head) => {
    const object = Buffer.concat([preamble(head), Buffer.from('DICM and more')]);
    disarmPreamble(object);
    expect(object.subarray(0, PREAMBLE_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(object.subarray(PREAMBLE_BYTES).toString()).toBe('DICM and more');
  });

  it('given a program that hides behind zeros, then it is not harmless either', () => {
    const object = Buffer.alloc(PREAMBLE_BYTES + 4);
    object.write('MZ', 100);
    expect(isHarmlessPreamble(object)).toBe(false);
  });
});
