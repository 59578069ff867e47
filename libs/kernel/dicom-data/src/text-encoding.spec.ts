import { describe, expect, it } from '@jest/globals';
import { CharacterSet } from './character-set.js';
import { textEncodingOf } from './text-encoding.js';

describe('text in a Specific Character Set', () => {
  it.each([
    ['ISO_IR 100', 'Müller^Jérôme'], ['ISO_IR 101', 'Dvořák^Łukasz'], ['ISO_IR 126', 'Διονυσιος'], ['ISO_IR 127', 'قباني^لنزار'], ['ISO_IR 138', 'שרון^דבורה'],
    ['ISO_IR 144', 'Люкceмбypг'], ['ISO_IR 148', 'Çavuşoğlu'], ['ISO_IR 166', 'นามสกุล'], ['ISO_IR 13', 'ﾔﾏﾀﾞ^ﾀﾛｳ'], ['ISO_IR 203', 'Œuvre €'], ['ISO_IR 192', '山田^太郎'], ['', 'DOE^JOHN'],
  ])('given %s, what is written is read again', (term, text) => {
    const bytes = textEncodingOf(term)!.encode(text)!;
    expect(CharacterSet.of([term]).decode(bytes, 'PN')).toBe(text);
  });
  it('given a character that the set lacks, then it says so', () => {
    expect(textEncodingOf('ISO_IR 100')!.encode('山田')).toBeNull();
    expect(textEncodingOf('')!.encode('Müller')).toBeNull();
  });
  it('given letters and combining accents, then they are composed', () => {
    expect(textEncodingOf('ISO_IR 100')!.encode('Mu\u0308ller')).toEqual(Buffer.from('Müller', 'latin1'));
  });
  it('given a set with code extensions or of several bytes, then it has no encoder', () => {
    expect(textEncodingOf('ISO 2022 IR 87')).toBeUndefined();
    expect(textEncodingOf('GB18030')).toBeUndefined();
    expect(textEncodingOf('NO_SUCH')).toBeUndefined();
  });
});
