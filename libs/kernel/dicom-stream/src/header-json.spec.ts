import { describe, expect, test } from '@jest/globals';
import { Dataset, Fragments, writeDataset } from '@perennia/dicom-data';
import { BulkDataLocator, locateBulkData } from './bulk-data-locator.js';
import { headerToJson, PIXEL_HEADER_BYTES } from './header-json.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const JPEG = '1.2.840.10008.1.2.4.50';
const options = { bulkDataUri: (path: string) => `bulk/${path}`, inlineLimitBytes: 16 };

const image = (): Dataset => new Dataset()
  .set('SpecificCharacterSet', 'ISO_IR 100').set('PatientName', 'Jérôme').set('StudyDate', '').set('Rows', 2).set('Columns', 2).set('BitsAllocated', 8).set('PixelRepresentation', 1)
  .set('SmallestImagePixelValue', -1, 'SS').set(0x00080000, 10).set(0x00090010, 'OWNER', 'LO').set(0x00091001, Uint8Array.of(1, 2))
  .set('ContentSequence', [new Dataset().set('TextValue', 'short').set('PatientComments', 'x'.repeat(20)), new Dataset(), new Dataset().set('EncapsulatedDocument', new Uint8Array(30))]);

describe('headerToJson', () => {
  const expected = {
    '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
    '00080020': { vr: 'DA' },
    '00090010': { vr: 'LO', Value: ['OWNER'] },
    '00091001': { vr: 'UN', InlineBinary: 'AQI=' },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Jérôme' }] },
    '00280010': { vr: 'US', Value: [2] },
    '00280011': { vr: 'US', Value: [2] },
    '00280100': { vr: 'US', Value: [8] },
    '00280103': { vr: 'US', Value: [1] },
    '00280106': { vr: 'SS', Value: [-1] },
    '0040A730': {
      vr: 'SQ',
      Value: [
        { '0040A160': { vr: 'UT', Value: ['short'] }, '00104000': { vr: 'LT', BulkDataURI: 'bulk/0040A730/1/00104000' } },
        {},
        { '00420011': { vr: 'OB', BulkDataURI: 'bulk/0040A730/3/00420011' } },
      ],
    },
  };

  test.each([[EXPLICIT, 'OB'], [IMPLICIT, 'OW'], [DEFLATED, 'OB']])('is the whole metadata (%s)', (uid, vr) => {
    const bytes = writeDataset(image().set('PixelData', new Uint8Array(4), 'OB'), uid);
    expect(headerToJson(bytes, uid, options)).toEqual({ ...expected, '7FE00010': { vr, BulkDataURI: 'bulk/7FE00010' } });
  });

  test('tells the VR of the pixel element when its header is there, and infers it when it is not', () => {
    const header = writeDataset(image(), EXPLICIT);
    const whole = writeDataset(image().set('PixelData', new Uint8Array(4), 'OW'), EXPLICIT);
    expect(headerToJson(whole.subarray(0, header.length + PIXEL_HEADER_BYTES), EXPLICIT, options)['7FE00010']).toEqual({ vr: 'OW', BulkDataURI: 'bulk/7FE00010' });
    expect(headerToJson(header, EXPLICIT, options)['7FE00010']).toEqual({ vr: 'OB', BulkDataURI: 'bulk/7FE00010' });
    expect(headerToJson(header, JPEG, options)['7FE00010']).toEqual({ vr: 'OB', BulkDataURI: 'bulk/7FE00010' });
    expect(headerToJson(writeDataset(new Dataset().set('PatientID', '1'), EXPLICIT), EXPLICIT, options)['7FE00010']).toBeUndefined();
  });

  test('hostile keys cannot reach the prototype', () => {
    expect(Object.getPrototypeOf(headerToJson(writeDataset(image(), EXPLICIT), EXPLICIT, options))).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('locateBulkData', () => {
  test.each([EXPLICIT, IMPLICIT])('finds every value that headerToJson refers to (%s)', (uid) => {
    const bytes = writeDataset(image().set('PixelData', Uint8Array.of(9, 8, 7, 6), 'OB'), uid);
    const value = (path: string): Buffer => {
      const place = locateBulkData(bytes, uid, path)!;
      return bytes.subarray(place.offset, place.offset + place.length);
    };
    expect(value('7FE00010')).toEqual(Buffer.of(9, 8, 7, 6));
    expect(value('0040A730/1/00104000').toString()).toBe('x'.repeat(20));
    expect(value('0040A730/3/00420011')).toEqual(Buffer.alloc(30));
    expect(locateBulkData(bytes, uid, '0040A730/2/00420011')).toBeUndefined();
    expect(locateBulkData(bytes, uid, '00420011')).toBeUndefined();
  });

  test('an encapsulated value reaches to its delimiter', () => {
    const bytes = writeDataset(new Dataset().set(0x7fe00010, new Fragments([Buffer.alloc(10)]), 'OB'), JPEG);
    expect(locateBulkData(bytes, JPEG, '7FE00010')).toEqual({ offset: 12, length: 26, vr: 'OB', isEncapsulated: true, bigEndian: false });
  });

  test('stops reading at the value', () => {
    const bytes = writeDataset(image(), EXPLICIT);
    const locator = new BulkDataLocator(EXPLICIT, '00100010');
    let pushed = 0;
    while (pushed < bytes.length && locator.push(bytes.subarray(pushed, ++pushed)));
    expect(pushed).toBeLessThan(bytes.length / 2);
    expect(locator.place?.vr).toBe('PN');
  });

  test.each(['', 'PatientName', '0040A730/0/00104000', '0040A730/1', '../etc', '00100010/'])('refuses the path %j', (path) => {
    expect(() => locateBulkData(Buffer.alloc(0), EXPLICIT, path)).toThrow(expect.objectContaining({ code: 'MALFORMED' }) as unknown as Error);
  });
});
