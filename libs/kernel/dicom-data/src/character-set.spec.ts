import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CharacterSet } from './character-set.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

describe('CharacterSet', () => {
  // The examples of PS3.5 Annexes H, I, J and K, and of PS3.3 §C.12.1.1.2.
  test.each([
    ['Japanese, IR 87', ['', 'ISO 2022 IR 87'], `${ascii('Yamada^Tarou=')} 1b2442 3b33 4544 1b2842 5e 1b2442 4240 4f3a 1b2842 3d 1b2442 2464 245e 2440 1b2842 5e 1b2442 243f 246d 2426 1b2842`, 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
    ['Japanese, IR 13 and 87', ['ISO 2022 IR 13', 'ISO 2022 IR 87'], 'd4cfc0de 5e c0dbb3 3d 1b2442 3b33 4544 1b284a 5e 1b2442 4240 4f3a 1b284a', 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎'],
    ['Japanese, IR 159', ['', 'ISO 2022 IR 159'], '1b242844 3021 1b2842', '丂'],
    ['Korean', ['', 'ISO 2022 IR 149'], `${ascii('Hong^Gildong=')} 1b242943 fbf3 5e 1b242943 d1ce d4d7 3d 1b242943 c8ab 5e 1b242943 b1e6 b5bf`, 'Hong^Gildong=洪^吉洞=홍^길동'],
    ['Korean without a second designation', ['', 'ISO 2022 IR 149'], '1b242943 c8ab 5e b1e6 b5bf', '홍^길동'],
    ['Chinese, IR 58', ['', 'ISO 2022 IR 58'], `${ascii('Zhang^XiaoDong=')} 1b242941 d5c5 5e 1b242941 d0a1 b6ab 3d`, 'Zhang^XiaoDong=张^小东='],
    ['Chinese, GB18030', ['GB18030'], `${ascii('Wang^XiaoDong=')} cdf5 5e d0a1 b6ab`, 'Wang^XiaoDong=王^小东'],
    ['Chinese, GBK', ['GBK'], 'cdf5 5e d0a1', '王^小'],
    ['GB18030 with 5C as a second byte', ['GB18030'], '815c', '乗'],
    ['UTF-8', ['ISO_IR 192'], 'e78e8b', '王'],
    ['Latin 1', ['ISO_IR 100'], '42e97c', 'Bé|'],
    ['Latin 1 and Cyrillic by ISO 2022', ['ISO 2022 IR 100', 'ISO 2022 IR 144'], '4ae972 5c 1b2d4c bbee', 'Jér\\Лю'],
    ['Latin 2', ['ISO_IR 101'], 'b1', 'ą'],
    ['Latin 3', ['ISO_IR 109'], 'a6', 'Ĥ'],
    ['Latin 4', ['ISO_IR 110'], 'b1', 'ą'],
    ['Cyrillic', ['ISO_IR 144'], 'bbeeddda', 'Люнк'],
    ['Arabic', ['ISO_IR 127'], 'e2c8c7e6ea', 'قباني'],
    ['Greek', ['ISO_IR 126'], 'c4e9', 'Δι'],
    ['Hebrew', ['ISO_IR 138'], 'f9f8e5ef', 'שרון'],
    ['Latin 5', ['ISO_IR 148'], 'f0', 'ğ'],
    ['Thai', ['ISO_IR 166'], 'a1', 'ก'],
    ['Latin 9', ['ISO_IR 203'], 'a4', '€'],
    ['Katakana', ['ISO_IR 13'], 'd4cf', 'ﾔﾏ'],
    ['a term in careless spelling', ['ISO-IR 100'], 'e9', 'é'],
    ['an unknown term, bytes being UTF-8', ['KLINGON'], 'c3a9', 'é'],
    ['an unknown term, bytes being none', ['KLINGON'], 'e9', 'é'],
  ])('reads %s', (_name, terms, bytes, text) => {
    expect(CharacterSet.of(terms).decode(hex(bytes), 'PN')).toBe(text);
  });

  test('leaves values of other VRs alone', () => {
    expect(CharacterSet.of(['ISO_IR 192']).decode(hex('c3a9'), 'CS')).toBe('Ã©');
  });

  test('a character that holds the byte of a delimiter is no delimiter', () => {
    // 0x3D 0x5C in JIS X 0208.
    expect(CharacterSet.of(['', 'ISO 2022 IR 87']).decode(hex('1b2442 3d5c 1b2842 5e 41'), 'PN')).toBe('盾^A'.replace('盾', CharacterSet.of(['', 'ISO 2022 IR 87']).decode(hex('1b2442 3d5c'), 'LO')));
  });

  test('reads any bytes under any terms without failing', () => {
    const terms = fc.array(fc.constantFrom('', 'ISO_IR 100', 'ISO 2022 IR 87', 'ISO 2022 IR 149', 'GB18030', 'ISO_IR 192', 'ISO 2022 IR 13', 'x'), { maxLength: 3 });
    const bytes = fc.array(fc.constantFrom(0x1b, 0x24, 0x28, 0x29, 0x41, 0x42, 0x43, 0x5c, 0x5e, 0xa1, 0xff, 0x0a), { maxLength: 40 });
    fc.assert(fc.property(terms, bytes, fc.constantFrom('PN', 'LO', 'UT'), (set, value, vr) => {
      expect(typeof CharacterSet.of(set).decode(Uint8Array.from(value), vr)).toBe('string');
    }));
  });
});
