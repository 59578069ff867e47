import { describe, expect, test } from '@jest/globals';
import { CharacterSet } from './character-set.js';
import { elementToJson } from './element-json.js';

const json = (vr: string, bytes: Buffer, bigEndian = false, terms: string[] = []): object =>
  elementToJson(vr, bytes, 0, bytes.length, { bigEndian, characterSet: CharacterSet.of(terms) });
const text = (vr: string, value: string): object => json(vr, Buffer.from(value, 'latin1'));

describe('elementToJson (PS3.18 Annex F)', () => {
  test.each([
    ['LO', '', { vr: 'LO' }],
    ['LO', '   ', { vr: 'LO' }],
    ['LO', ' Perennia ', { vr: 'LO', Value: ['Perennia'] }],
    ['CS', 'A\\\\B', { vr: 'CS', Value: ['A', null, 'B'] }],
    ['UI', '1.2\0', { vr: 'UI', Value: ['1.2'] }],
    ['PN', 'Doe^John=', { vr: 'PN', Value: [{ Alphabetic: 'Doe^John' }] }],
    ['PN', 'A\\\\B', { vr: 'PN', Value: [{ Alphabetic: 'A' }, null, { Alphabetic: 'B' }] }],
    ['IS', ' +12', { vr: 'IS', Value: [12] }],
    ['IS', '1\0', { vr: 'IS', Value: [1] }],
    ['IS', '1A', { vr: 'IS', Value: ['1A'] }],
    ['DS', '1.50\\-2e3', { vr: 'DS', Value: [1.5, -2000] }],
    ['DS', '1e999', { vr: 'DS', Value: ['1e999'] }],
    ['DS', '1,5', { vr: 'DS', Value: ['1,5'] }],
    ['ST', 'a\\b ', { vr: 'ST', Value: ['a\\b'] }],
    ['LT', ' indented', { vr: 'LT', Value: [' indented'] }],
  ])('%s %j', (vr, value, expected) => {
    expect(text(vr, value)).toEqual(expected);
  });

  test('numbers of both byte orders', () => {
    expect(json('US', Buffer.of(1, 2))).toEqual({ vr: 'US', Value: [0x0201] });
    expect(json('US', Buffer.of(1, 2), true)).toEqual({ vr: 'US', Value: [0x0102] });
    expect(json('AT', Buffer.of(0x10, 0, 0x20, 0))).toEqual({ vr: 'AT', Value: ['00100020'] });
    expect(json('FL', Buffer.of(0, 0, 0xc0, 0x7f))).toEqual({ vr: 'FL', Value: ['NaN'] });
  });

  test('64-bit integers keep every digit', () => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(-9223372036854775807n, 0);
    bytes.writeBigInt64LE(-5n, 8);
    expect(json('SV', bytes)).toEqual({ vr: 'SV', Value: ['-9223372036854775807', -5] });
    bytes.writeBigUInt64LE(18446744073709551615n, 0);
    expect(json('UV', bytes.subarray(0, 8))).toEqual({ vr: 'UV', Value: ['18446744073709551615'] });
  });

  test('binary values are little endian whatever they were', () => {
    expect(json('OW', Buffer.of(1, 2, 3, 4), true)).toEqual({ vr: 'OW', InlineBinary: Buffer.of(2, 1, 4, 3).toString('base64') });
    expect(json('OB', Buffer.of(1, 2), true)).toEqual({ vr: 'OB', InlineBinary: 'AQI=' });
    expect(json('UN', Buffer.alloc(0))).toEqual({ vr: 'UN' });
  });
});
