import { describe, expect, it } from '@jest/globals';
import { Dataset } from './dataset.js';
import { writeDataset } from './dataset-writer.js';
import { datasetOfJson, personNameText } from './json-dataset.js';

const EXPLICIT = '1.2.840.10008.1.2.1';

describe('a dataset from DICOM JSON', () => {
  it('has what the JSON has, in every kind of value', () => {
    const json = {
      '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
      '00080008': { vr: 'CS', Value: ['ORIGINAL', null, 'AXIAL'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎' }] },
      '00100020': { vr: 'LO' },
      '00181050': { vr: 'DS', Value: [0.1, '1.50'] },
      '00200013': { vr: 'IS', Value: [7] },
      '00280010': { vr: 'US', Value: [512] },
      '00280009': { vr: 'AT', Value: ['00181063'] },
      '00400275': { vr: 'SQ', Value: [{ '00400009': { vr: 'SH', Value: ['S1'] } }, {}] },
      '00420011': { vr: 'OB', InlineBinary: 'AQID' },
    };
    const expected = new Dataset()
      .set('SpecificCharacterSet', 'ISO_IR 192').set('ImageType', 'ORIGINAL\\\\AXIAL').set('PatientName', 'Yamada^Tarou=山田^太郎').set('PatientID', '')
      .set('SpatialResolution', '0.1\\1.50').set('InstanceNumber', '7').set('Rows', 512).set('FrameIncrementPointer', 0x00181063)
      .set('RequestAttributesSequence', [new Dataset().set('ScheduledProcedureStepID', 'S1'), new Dataset()]).set('EncapsulatedDocument', Uint8Array.of(1, 2, 3));
    expect(writeDataset(datasetOfJson(json), EXPLICIT)).toEqual(writeDataset(expected, EXPLICIT));
  });
  it('writes decimals in the 16 characters that they have', () => {
    const bytes = writeDataset(datasetOfJson({ '00181050': { vr: 'DS', Value: [-Math.PI / 10] } }), EXPLICIT).toString('latin1', 8).trim();
    expect(bytes.length).toBeLessThanOrEqual(16);
    expect(Number(bytes)).toBeCloseTo(-Math.PI / 10, 10);
  });
  it('writes names without separators at the end', () => {
    expect(personNameText({ Alphabetic: 'DOE^JOHN' })).toBe('DOE^JOHN');
    expect(personNameText({ Phonetic: 'やまだ' })).toBe('==やまだ');
  });
});
