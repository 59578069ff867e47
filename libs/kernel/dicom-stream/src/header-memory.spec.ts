import { describe, expect, test } from '@jest/globals';
import { Dataset, type ElementValue, EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, writeDataset } from '@perennia/dicom-data';
import * as fc from 'fast-check';
import { HeaderMemory } from './header-memory.js';
import { type HeaderSummary } from './header-summary.js';
import { HeaderTap } from './header-tap.js';

const OFFSET = 300;

/** An object of a series; each change concerns another level, or the way values are written. */
const CHANGES: Record<string, (dataset: Dataset) => Dataset> = {
  'nothing': (dataset) => dataset,
  'instance number': (dataset) => dataset.set('InstanceNumber', '4'),
  'rows': (dataset) => dataset.set('Rows', 5),
  'series description': (dataset) => dataset.set('SeriesDescription', 'Thorax'),
  'no modality': (dataset) => dataset.delete('Modality'),
  'patient of the same length': (dataset) => dataset.set('PatientName', 'Jérome^B'),
  'a longer patient': (dataset) => dataset.set('PatientName', 'Jérôme-Marie^B'),
  'an element more at the end of a level': (dataset) => dataset.set('AdmissionID', 'A1'),
  'an element less at the end of a level': (dataset) => dataset.delete('StudyID'),
  'an element more at the beginning': (dataset) => dataset.set('ImageType', 'ORIGINAL\\PRIMARY'),
  'no element of the study': (dataset) => ['StudyDate', 'PatientName', 'PatientID', 'IssuerOfPatientID', 'StudyInstanceUID', 'StudyID'].reduce((all, keyword) => all.delete(keyword), dataset),
  'another character set': (dataset) => dataset.set('SpecificCharacterSet', 'ISO_IR 100'),
  'the same bytes in another character set': (dataset) => dataset.set('SpecificCharacterSet', 'ISO_IR 144').set('PatientName', Buffer.from('Jérôme^B'), 'PN'),
  'an unknown character set': (dataset) => dataset.set('SpecificCharacterSet', 'NO_SUCH 1'),
  'no character set': (dataset) => dataset.delete('SpecificCharacterSet'),
  'sent as UN': (dataset) => dataset.set('PatientID', Buffer.from('P1'), 'UN'),
  'sent as another VR': (dataset) => dataset.set('PatientID', 'P1', 'SH'),
  'a sequence': (dataset) => dataset.set('RequestAttributesSequence', [new Dataset().set('RequestedProcedureID', 'R1')]),
  'another sequence': (dataset) => dataset.set('RequestAttributesSequence', [new Dataset().set('RequestedProcedureID', 'R2')]),
  'too long a value': (dataset) => dataset.set('StudyDescription', 'x'.repeat(3000), 'LO'),
  'a long value': (dataset) => dataset.set('StudyDescription', 'x'.repeat(300), 'LO'),
  'more than the memory takes': (dataset) => ['SeriesDescription', 'InstitutionName', 'StationName', 'ProtocolName', 'Manufacturer', 'ManufacturerModelName'].reduce((all, keyword) => all.set(keyword, keyword.repeat(140).slice(0, 1900), 'LO'), dataset),
  'no longer one frame': (dataset) => dataset.set('NumberOfFrames', '2'),
};

function objectWith(changes: readonly string[]): Dataset {
  const values: Record<string, ElementValue> = {
    SpecificCharacterSet: 'ISO_IR 192', SOPClassUID: '1.2.840.10008.5.1.4.1.1.2', SOPInstanceUID: '1.2.3.4', StudyInstanceUID: '1.2.3', SeriesInstanceUID: '1.2.3.1',
    StudyDate: '20240229', Modality: 'CT', PatientName: 'Jérôme^B', PatientID: 'P1', IssuerOfPatientID: 'LOCAL', SeriesNumber: '7', StudyID: 'S1',
    InstanceNumber: '3', Rows: 4, Columns: 5, BitsAllocated: 16, SamplesPerPixel: 1,
  };
  const dataset = new Dataset();
  for (const [keyword, value] of Object.entries(values)) dataset.set(keyword, value);
  return changes.reduce((changed, name) => CHANGES[name]!(changed), dataset.set('PixelData', new Uint8Array(40), 'OW'));
}

interface Sent {
  bytes: Buffer;
  transferSyntaxUid: string;
  defaultIssuer?: string;
}

async function tap({ bytes, transferSyntaxUid, defaultIssuer }: Sent, memory?: HeaderMemory, chunkBytes = bytes.length): Promise<HeaderSummary> {
  const header = new HeaderTap({ transferSyntaxUid, datasetOffset: OFFSET, ...(memory && { memory }), ...(defaultIssuer && { defaultIssuer }) });
  // The same memory for all chunks: whoever kept one would see it change.
  const chunk = Buffer.alloc(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) await header.push(chunk.subarray(0, bytes.copy(chunk, 0, at, at + chunkBytes)));
  chunk.fill(0xaa);
  try {
    return await header.end();
  } finally {
    header.abort();
  }
}

const sent = (changes: readonly string[], transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN): Sent => ({ bytes: Buffer.from(writeDataset(objectWith(changes), transferSyntaxUid)), transferSyntaxUid });

describe('HeaderMemory', () => {
  test('whatever a sender changes from object to object, each is read as if it were the first', async () => {
    const anyObject = fc.record({
      changes: fc.subarray(Object.keys(CHANGES), { maxLength: 3 }),
      transferSyntaxUid: fc.constantFrom(EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN),
      chunkBytes: fc.constantFrom(7, 100, 100_000),
    });
    await fc.assert(fc.asyncProperty(fc.array(anyObject, { minLength: 2, maxLength: 8 }), async (objects) => {
      const memory = new HeaderMemory();
      for (const { changes, transferSyntaxUid, chunkBytes } of objects) {
        const object = sent(changes, transferSyntaxUid);
        const summary = await tap(object, memory, chunkBytes);
        expect(summary).toEqual(await tap(object));
        expect(JSON.parse(summary.attributesText)).toEqual(summary.attributes);
        expect(JSON.parse(summary.searchText)).toEqual(summary.search);
      }
    }), { numRuns: 300 });
  });

  test('what is the same is not decoded again', async () => {
    const memory = new HeaderMemory();
    const [first, second, third] = [await tap(sent([]), memory), await tap(sent(['instance number']), memory), await tap(sent(['series description']), memory)];
    expect(second.attributes.study).toBe(first.attributes.study);
    expect(second.attributes.series).toBe(first.attributes.series);
    expect(second.attributes.instance['00280010']).toBe(first.attributes.instance['00280010']);
    expect(second.attributes.instance['00200013']).toEqual({ vr: 'IS', Value: [4] });
    expect(third.attributes.study).toBe(first.attributes.study);
    expect(third.attributes.series['0008103E']).toEqual({ vr: 'LO', Value: ['Thorax'] });
    expect(first.attributes.series['0008103E']).toBeUndefined();
  });

  test('a sequence that is the same is no difference', async () => {
    const memory = new HeaderMemory();
    const [first, second, third] = [await tap(sent(['a sequence']), memory), await tap(sent(['a sequence', 'rows']), memory), await tap(sent(['another sequence']), memory)];
    expect(second.attributes.series).toBe(first.attributes.series);
    expect(third.attributes.series['00400275']).toEqual({ vr: 'SQ', Value: [{ '00401001': { vr: 'SH', Value: ['R2'] } }] });
  });

  test('an element that occurs twice is told each time', async () => {
    const memory = new HeaderMemory();
    const { bytes } = sent([]);
    const patientId = bytes.indexOf(Buffer.from('10002000', 'hex'));
    const twice = { bytes: Buffer.concat([bytes.subarray(0, patientId + 10), bytes.subarray(patientId)]), transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
    for (const _ of [1, 2, 3]) expect((await tap(twice, memory)).warnings).toEqual(['an element occurs twice']);
    expect((await tap(sent([]), memory)).warnings).toEqual([]);
  });

  test.each([1, 60, 150, 250])('an object that ends %d bytes before its end leaves nothing behind that was not there', async (missing) => {
    const memory = new HeaderMemory();
    const whole = await tap(sent([]), memory);
    const { bytes, transferSyntaxUid } = sent(['instance number', 'a longer patient', 'rows']);
    await expect(tap({ bytes: bytes.subarray(0, -missing), transferSyntaxUid }, memory)).rejects.toMatchObject({ code: 'TRUNCATED' });
    expect(await tap({ bytes, transferSyntaxUid }, memory)).toEqual(await tap({ bytes, transferSyntaxUid }));
    const next = await tap(sent([]), memory);
    expect(next).toEqual(whole);
    expect(next.attributes.series).toBe(whole.attributes.series);
  });

  test('another default issuer is not taken from memory', async () => {
    const memory = new HeaderMemory();
    const issuerOf = async (defaultIssuer?: string): Promise<unknown> => {
      const object = Buffer.from(writeDataset(objectWith([]).delete('IssuerOfPatientID'), EXPLICIT_VR_LITTLE_ENDIAN));
      return (await tap({ bytes: object, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, ...(defaultIssuer && { defaultIssuer }) }, memory)).search.issuer;
    };
    expect([await issuerOf('A'), await issuerOf('B'), await issuerOf(), await issuerOf('A')]).toEqual(['A', 'B', null, 'A']);
  });

  test('the same bytes in another element are another element', async () => {
    const memory = new HeaderMemory();
    const seriesWith = async (keyword: string): Promise<unknown> => {
      const bytes = Buffer.from(writeDataset(objectWith([]).set(keyword, 'Thorax'), EXPLICIT_VR_LITTLE_ENDIAN));
      return Object.keys((await tap({ bytes, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN }, memory)).attributes.series);
    };
    expect(await seriesWith('SeriesDescription')).toContain('0008103E');
    expect(await seriesWith('InstitutionalDepartmentName')).toEqual(['00080060', '00081040', '0020000E', '00200011']);
  });

  test('where the memory is full, what is no longer kept is not taken for what was', async () => {
    const memory = new HeaderMemory();
    const descriptionOf = async (description: string): Promise<unknown> => {
      const dataset = objectWith(['more than the memory takes']).set('SeriesDescription', description, 'LO');
      return (await tap({ bytes: Buffer.from(writeDataset(dataset, EXPLICIT_VR_LITTLE_ENDIAN)), transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN }, memory)).search.seriesDescription;
    };
    const long = 'b'.repeat(1900);
    expect([await descriptionOf('a'), await descriptionOf(long), await descriptionOf('a'), await descriptionOf(long)]).toEqual(['a', long, 'a', long]);
  });

  test('the same bytes in the other byte order are another value', async () => {
    const memory = new HeaderMemory();
    const rowsIn = async (transferSyntaxUid: string): Promise<unknown> => {
      const bytes = Buffer.from(writeDataset(objectWith([]).set('Rows', Uint8Array.of(4, 0), 'US'), transferSyntaxUid));
      return (await tap({ bytes, transferSyntaxUid }, memory)).search.rows;
    };
    expect([await rowsIn(EXPLICIT_VR_LITTLE_ENDIAN), await rowsIn(EXPLICIT_VR_BIG_ENDIAN)]).toEqual([4, 1024]);
  });

  test('two objects at the same time do not disturb each other', async () => {
    const memory = new HeaderMemory();
    await tap(sent([]), memory);
    const objects = [sent(['a longer patient']), sent(['rows', 'no modality'])];
    const taps = objects.map(({ transferSyntaxUid }) => new HeaderTap({ transferSyntaxUid, datasetOffset: OFFSET, memory }));
    const longest = Math.max(...objects.map(({ bytes }) => bytes.length));
    for (let at = 0; at < longest; at += 10) for (const [index, header] of taps.entries()) await header.push(objects[index]!.bytes.subarray(at, at + 10));
    for (const [index, header] of taps.entries()) expect(await header.end()).toEqual(await tap(objects[index]!));
  });
});
