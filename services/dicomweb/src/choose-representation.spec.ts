import { describe, expect, it } from '@jest/globals';
import { parseAccept } from '@perennia/dicom-web';
import type { StoredInstance } from '@perennia/egress';
import { chooseRepresentation } from './choose-representation.js';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const JPEG = '1.2.840.10008.1.2.4.50';
const JPIP = '1.2.840.10008.1.2.4.94';
const JPIP_DEFLATED = '1.2.840.10008.1.2.4.95';
const FORMS = [{ mediaType: 'multipart/related', partType: 'application/dicom' }, { mediaType: 'application/dicom' }];
const of = (syntaxes: string): string => `application/dicom; transfer-syntax=${syntaxes}`;

function choose(accept: string, stored: readonly string[], decoded: readonly string[] = []): string[] | null {
  const instances = stored.map((transferSyntaxUid) => ({ transferSyntaxUid }) as StoredInstance);
  try {
    const { mediaType, given } = chooseRepresentation(parseAccept(accept), instances, FORMS, (transferSyntaxUid) => decoded.includes(transferSyntaxUid));
    return [mediaType, ...given.map(({ transferSyntaxUid }) => transferSyntaxUid)];
  } catch {
    return null;
  }
}

describe('chooseRepresentation', () => {
  it.each<[string, string[], string[] | null]>([
    ['*/*', [IMPLICIT, JPEG], ['multipart/related', IMPLICIT, JPEG]],
    ['application/dicom', [BIG_ENDIAN], ['application/dicom', BIG_ENDIAN]],
    [of('*'), [DEFLATED, JPEG], ['application/dicom', DEFLATED, JPEG]],
    [of(EXPLICIT), [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN], ['application/dicom', EXPLICIT, EXPLICIT, EXPLICIT, EXPLICIT]],
    [of(EXPLICIT), [IMPLICIT, JPEG], null],
    [`${of(EXPLICIT)}, ${of(JPEG)}`, [IMPLICIT, JPEG], ['application/dicom', EXPLICIT, JPEG]],
    [`${of(EXPLICIT)}, ${of(IMPLICIT)}`, [IMPLICIT], ['application/dicom', IMPLICIT]],
    [`${of(EXPLICIT)}, ${of('*')}; q=0.5`, [IMPLICIT, JPEG], ['application/dicom', EXPLICIT, JPEG]],
    [of(BIG_ENDIAN), [EXPLICIT], null],
    [of(EXPLICIT), [JPIP], null],
    [of(EXPLICIT), [JPIP_DEFLATED], null],
    ['image/jpeg', [JPEG], null],
  ])('W05 for %s of %j', (accept, stored, expected) => expect(choose(accept, stored)).toEqual(expected));
  it('W05 decodes where that is possible and nothing else will do', () => {
    expect(choose(of(EXPLICIT), [IMPLICIT, JPEG], [JPEG])).toEqual(['application/dicom', EXPLICIT, EXPLICIT]);
    expect(choose(of('*'), [IMPLICIT, JPEG], [JPEG])).toEqual(['application/dicom', IMPLICIT, JPEG]);
    expect(choose(of(EXPLICIT), [JPIP], [JPIP])).toBeNull();
  });
});
