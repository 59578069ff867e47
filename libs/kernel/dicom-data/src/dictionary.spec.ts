import { describe, expect, test } from '@jest/globals';
import { keywordOfTag, lookupTag, tagOfKeyword } from './dictionary.js';
import { parseTag, tagKey } from './tag.js';

describe('the data dictionary', () => {
  test('finds by tag and by keyword', () => {
    expect(lookupTag(0x00100010)).toMatchObject({ vr: 'PN', vm: '1', keyword: 'PatientName' });
    expect(tagOfKeyword('StudyInstanceUID')).toBe(0x0020000d);
    expect(keywordOfTag(0x7fe00010)).toBe('PixelData');
    expect(lookupTag(0x00280106)?.alternatives).toEqual(['US', 'SS']);
  });
  test('knows repeating groups, and neither private nor unknown tags', () => {
    expect(keywordOfTag(0x60023000)).toBe('OverlayData');
    expect(lookupTag(0x60013000)).toBeUndefined();
    expect(lookupTag(0x00091001)).toBeUndefined();
    expect(tagOfKeyword('NoSuchThing')).toBeUndefined();
  });
});

describe('tags as text', () => {
  test.each([['00100010', 0x00100010], ['0010,0010', 0x00100010], ['(7fe0,0010)', 0x7fe00010], ['FFFEE000', 0xfffee000]])('reads %s', (text, tag) => {
    expect(parseTag(text)).toBe(tag);
  });
  test.each(['', '0010', '00100010x', '(0010,0010', 'PatientName'])('refuses %j', (text) => {
    expect(parseTag(text)).toBeUndefined();
  });
  test('writes eight upper-case digits', () => {
    expect(tagKey(0x0008103e)).toBe('0008103E');
  });
});
