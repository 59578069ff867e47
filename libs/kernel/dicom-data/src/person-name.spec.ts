import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parsePersonName, searchName } from './person-name.js';

describe('parsePersonName', () => {
  test('splits three groups and leaves out empty ones', () => {
    expect(parsePersonName('Yamada^Tarou=山田^太郎=やまだ^たろう')).toEqual({ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' });
    expect(parsePersonName('=山田')).toEqual({ Ideographic: '山田' });
    expect(parsePersonName('')).toEqual({});
  });
});

describe('searchName', () => {
  test.each([
    ['Doe^John^^', 'DOE^JOHN'], ['doe^john=', 'DOE^JOHN'], ['Buc^Jérôme', 'BUC^JÉRÔME'], ['Buc^Je\u0301ro\u0302me', 'BUC^JÉRÔME'],
    ['Yamada^Tarou=山田^太郎^=', 'YAMADA^TAROU=山田^太郎'], ['^^^^', null], ['', null], [' = = ', null], ['=山田', '=山田'],
  ])('%j is %j', (text, form) => {
    expect(searchName(text)).toBe(form);
  });
  test('is the same when applied twice', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      const once = searchName(text);
      expect(once === null ? null : searchName(once)).toBe(once);
    }));
  });
});
