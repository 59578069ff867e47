import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isValidUid } from './uid.js';

describe('isValidUid', () => {
  test.each(['1.2.840.10008.1.2', '0.0', '2.25.329800735698586629295641978511506172918', '1', `1.${'2'.repeat(62)}`])('accepts %s', (uid) => {
    expect(isValidUid(uid)).toBe(true);
  });
  test.each(['', '1.', '.1', '1..2', '1.02', '1.2a', '1.2 ', '../etc', `1.${'2'.repeat(63)}`, '1.2\0', '１.２'])('refuses %j', (uid) => {
    expect(isValidUid(uid)).toBe(false);
  });
  test('agrees with the grammar of PS3.5 §9.1 on any text', () => {
    const grammar = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/;
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('0', '1', '9', '.', 'x', ' '), maxLength: 70 }), (text) => {
      expect(isValidUid(text)).toBe(text.length <= 64 && grammar.test(text));
    }));
  });
});
