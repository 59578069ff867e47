import { describe, expect, it } from '@jest/globals';
import {
  decodeQueryExtensions, encodeQueryExtensions, grantQueryExtensions, NO_QUERY_EXTENSIONS, proposeQueryExtensions, type QueryExtensions,
} from './query-extensions.js';

const ALL: QueryExtensions = { relationalQueries: true, dateTimeMatching: true, fuzzySemanticMatching: true, timezoneQueryAdjustment: true };

describe('query extensions (PS3.4 §C.5.1.1)', () => {
  it.each([
    ['no byte', [], NO_QUERY_EXTENSIONS],
    ['one byte', [1], { ...NO_QUERY_EXTENSIONS, relationalQueries: true }],
    ['three bytes', [0, 1, 1], { ...NO_QUERY_EXTENSIONS, dateTimeMatching: true, fuzzySemanticMatching: true }],
    ['seven bytes', [1, 1, 1, 1, 1, 1, 1], ALL],
    ['values that are not defined', [2, 255, 3, 1], { ...NO_QUERY_EXTENSIONS, timezoneQueryAdjustment: true }],
  ])('given %s, then what is missing or undefined is no', (_name, bytes, expected) => {
    expect(decodeQueryExtensions(Buffer.from(bytes))).toEqual(expected);
  });

  it.each([[0, [1]], [1, [1]], [2, [1, 1]], [4, [1, 1, 1, 1]], [7, [1, 1, 1, 1]]])('given an answer of %d bytes, then it is %j', (bytes, expected) => {
    expect([...encodeQueryExtensions(ALL, bytes)]).toEqual(expected);
  });

  it('given a proposal, then only what both want is granted', () => {
    const proposed = { ...ALL, fuzzySemanticMatching: false };
    const supported = { ...ALL, timezoneQueryAdjustment: false };
    expect(grantQueryExtensions(proposed, supported)).toEqual({ ...NO_QUERY_EXTENSIONS, relationalQueries: true, dateTimeMatching: true });
  });

  it('given what a requestor wants, then its sub-item says so', () => {
    expect(proposeQueryExtensions('1.2', { fuzzySemanticMatching: true })).toEqual({ sopClassUid: '1.2', information: Buffer.from([0, 0, 1, 0]) });
  });
});
