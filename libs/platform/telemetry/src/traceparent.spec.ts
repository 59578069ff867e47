import { describe, expect, it } from '@jest/globals';
import { array, assert, boolean, constantFrom, property } from 'fast-check';
import { formatTraceparent, parseTraceparent, TRACEPARENT_CHARACTERS } from './traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const hex = (length: number) =>
  array(constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length }).map((digits) => digits.join('')).filter((text) => !/^0+$/.test(text));

describe('traceparent', () => {
  it('given any context, when it is written and read, then it is the same and always as long', () => {
    assert(property(hex(32), hex(16), boolean(), (traceId, spanId, sampled) => {
      const text = formatTraceparent({ traceId, spanId, sampled });
      expect(text).toHaveLength(TRACEPARENT_CHARACTERS);
      expect(parseTraceparent(text)).toEqual({ traceId, spanId, sampled });
    }));
  });

  it.each([
    ['01', true],
    ['00', false],
    ['03', true],
    ['fe', false],
  ])('given the flags %s, when read, then sampled is %s: other bits are left alone', (flags, sampled) => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-${flags}`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
  });

  it('given a later version with more behind it, when read, then the known part counts', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true });
  });

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['more behind version 00', `00-${TRACE}-${SPAN}-01-more`],
    ['a later version with more but no hyphen', `cc-${TRACE}-${SPAN}-01more`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['an id that is too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['two of them', `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`],
    ['a text of a megabyte', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(1 << 20)}`],
  ])('given %s, when read, then there is no context', (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
