import { describe, expect, it } from '@jest/globals';
import { parseMultipartContentType } from './content-type.js';
import { negotiate, parseAccept } from './media-type.js';

const dicom = (transferSyntax: string) => ({ mediaType: 'multipart/related', partType: 'application/dicom', transferSyntax });
const single = { mediaType: 'application/dicom', transferSyntax: '1.2.840.10008.1.2.4.50' };
const defaults = new Map([['application/dicom', ['1.2.840.10008.1.2.1']]]);
const choose = (accept: string, ...offers: Parameters<typeof negotiate>[1][number][]) => negotiate(parseAccept(accept), offers, defaults);

describe('parseAccept', () => {
  it('reads weights, part types, transfer syntaxes and quoted strings', () => {
    expect(parseAccept('multipart/related; type="application/dicom"; transfer-syntax=*;q=0.5, Image/JPEG')).toEqual([
      { mediaType: 'multipart/related', partType: 'application/dicom', transferSyntax: '*', quality: 0.5 },
      { mediaType: 'image/jpeg', quality: 1 },
    ]);
    expect(parseAccept('multipart/related; type="a/b, c\\"d"')).toEqual([{ mediaType: 'multipart/related', partType: 'a/b, c"d', quality: 1 }]);
  });
  it('means anything when absent or empty', () => {
    expect(parseAccept(undefined)).toEqual([{ mediaType: '*/*', quality: 1 }]);
    expect(parseAccept(' , ')).toEqual([{ mediaType: '*/*', quality: 1 }]);
  });
  it.each(['nonsense', 'a/b;q=2', 'a/b;q=0.12345', 'a/b;=x', Array(65).fill('a/b').join(',')])('refuses %s', (text) => {
    expect(() => parseAccept(text)).toThrow();
  });
});

describe('negotiate', () => {
  it('gives the stored syntax for the star and for its own name, not for another', () => {
    const jpeg = dicom('1.2.840.10008.1.2.4.50');
    expect(choose('multipart/related; type="application/dicom"; transfer-syntax=*', jpeg)).toBe(jpeg);
    expect(choose('multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.50', jpeg)).toBe(jpeg);
    expect(choose('multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1', jpeg)).toBeNull();
  });
  it('takes a range without transfer syntax as the default of the type', () => {
    expect(choose('multipart/related; type="application/dicom"', dicom('1.2.840.10008.1.2.1'))).not.toBeNull();
    expect(choose('multipart/related; type="application/dicom"', dicom('1.2.840.10008.1.2.4.50'))).toBeNull();
  });
  it('weighs: the heavier, then our order; the most specific range decides; zero is never', () => {
    const multi = dicom('1.2.840.10008.1.2.1');
    const one = { ...single, transferSyntax: '1.2.840.10008.1.2.1' };
    expect(choose('*/*', multi, one)).toBe(multi);
    expect(choose('*/*;q=0.5, application/dicom', multi, one)).toBe(one);
    expect(choose('*/*, application/dicom;q=0', one)).toBeNull();
    expect(choose('text/html', multi)).toBeNull();
  });
});

describe('parseMultipartContentType', () => {
  it('reads boundary and part type', () => {
    expect(parseMultipartContentType('multipart/related; type="application/dicom"; boundary="a b=c"')).toEqual({ boundary: 'a b=c', partType: 'application/dicom' });
    expect(parseMultipartContentType('Multipart/Related;boundary=x;type=application/dicom+json')).toEqual({ boundary: 'x', partType: 'application/dicom+json' });
    expect(parseMultipartContentType('application/dicom')).toBeNull();
    expect(parseMultipartContentType(undefined)).toBeNull();
  });
  it.each(['multipart/related', 'multipart/related; boundary=""', `multipart/related; boundary=${'x'.repeat(71)}`, 'multipart/related; boundary=a; boundary=b'])(
    'refuses %s',
    (header) => expect(() => parseMultipartContentType(header)).toThrow(),
  );
});
