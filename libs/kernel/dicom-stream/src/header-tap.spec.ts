import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { receiptSchema, searchAttributesSchema } from '@perennia/contracts';
import { Dataset, type ElementValue, Fragments, writeDataset } from '@perennia/dicom-data';
import { frameRange } from './frame-ranges.js';
import { type HeaderSummary } from './header-summary.js';
import { HeaderTap, type HeaderTapOptions } from './header-tap.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const BIG = '1.2.840.10008.1.2.2';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const JPEG = '1.2.840.10008.1.2.4.50';
const OFFSET = 300;

function study(extra: Record<string, ElementValue> = {}): Dataset {
  const dataset = new Dataset();
  const values: Record<string, ElementValue> = {
    SpecificCharacterSet: 'ISO_IR 192', SOPClassUID: '1.2.840.10008.5.1.4.1.1.2', SOPInstanceUID: '1.2.3.4', StudyInstanceUID: '1.2.3', SeriesInstanceUID: '1.2.3.1',
    StudyDate: '2024.02.29', StudyTime: '0727', Modality: 'CT', PatientName: 'Jérôme^B^^', PatientID: ' P1 ', IssuerOfPatientID: 'LOCAL', PatientBirthDate: 'unknown',
    SeriesNumber: '7', InstanceNumber: '3.0', Rows: 4, Columns: 5, BitsAllocated: 16, SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', ...extra,
  };
  for (const [keyword, value] of Object.entries(values)) dataset.set(keyword, value);
  return dataset;
}
async function tap(bytes: Uint8Array, transferSyntaxUid: string, options: Partial<HeaderTapOptions> = {}): Promise<HeaderSummary> {
  const header = new HeaderTap({ transferSyntaxUid, datasetOffset: OFFSET, ...options });
  for (let at = 0; at < bytes.length; at += 100) await header.push(bytes.subarray(at, at + 100));
  return header.end();
}

describe('HeaderTap', () => {
  test.each([EXPLICIT, IMPLICIT, BIG, DEFLATED])('reads UIDs, kept attributes and search values (%s)', async (uid) => {
    const summary = await tap(writeDataset(study().set('PixelData', new Uint8Array(40)), uid), uid);
    expect(summary).toMatchObject({ sopClassUid: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUid: '1.2.3.4', studyInstanceUid: '1.2.3', seriesInstanceUid: '1.2.3.1', numberOfFrames: 1, warnings: [] });
    expect(summary.attributes.study['00100010']).toEqual({ vr: 'PN', Value: [{ Alphabetic: 'Jérôme^B^^' }] });
    expect(summary.attributes.instance['00280010']).toEqual({ vr: 'US', Value: [4] });
    expect(searchAttributesSchema.parse(summary.search)).toEqual({
      patientId: 'P1', issuer: 'LOCAL', patientName: 'JÉRÔME^B', birthDate: null, sex: null, studyDate: '20240229', studyTime: '072700.000000', accessionNumber: null,
      referringPhysicianName: null, studyId: null, studyDescription: null, modality: 'CT', seriesNumber: 7, seriesDescription: null, bodyPartExamined: null,
      performedStepStartDate: null, performedStepStartTime: null, instanceNumber: 3, rows: 4, columns: 5, bitsAllocated: 16,
    });
    expect(receiptSchema.shape.frameIndex.parse(summary.frameIndex)).toEqual(summary.frameIndex);
  });

  test('tells where native pixel data is', async () => {
    const bytes = writeDataset(study({ NumberOfFrames: '2' }).set('PixelData', new Uint8Array(80)), EXPLICIT);
    const summary = await tap(bytes, EXPLICIT);
    expect(summary.headerLength).toBe(OFFSET + bytes.length - 92);
    expect(summary.frameIndex).toEqual({ kind: 'native', frames: 2, offset: OFFSET + bytes.length - 80, length: 80, frameLengthBits: 320 });
  });

  test('tells where encapsulated frames are, by the extended offset table', async () => {
    const table = Buffer.alloc(16);
    table.writeBigUInt64LE(18n, 8);
    const bytes = writeDataset(study({ NumberOfFrames: '2' }).set(0x7fe00001, table, 'OV').set(0x7fe00010, new Fragments([Buffer.alloc(10), Buffer.alloc(20), Buffer.alloc(30)]), 'OB'), JPEG);
    const { frameIndex } = await tap(bytes, JPEG);
    expect(frameIndex).toMatchObject({ kind: 'encapsulated', source: 'extended', frames: 2 });
    expect([frameRange(frameIndex, 0)!.length, frameRange(frameIndex, 1)!.length]).toEqual([18, 66]);
  });

  test('an object without pixel data is all header', async () => {
    const bytes = writeDataset(study(), EXPLICIT);
    expect(await tap(bytes, EXPLICIT)).toMatchObject({ numberOfFrames: 0, headerLength: OFFSET + bytes.length, frameIndex: { kind: 'none' } });
  });

  test('a deflated object has no ranges', async () => {
    const bytes = writeDataset(study().set('PixelData', new Uint8Array(40)), DEFLATED);
    expect(await tap(bytes, DEFLATED)).toMatchObject({ headerLength: OFFSET + bytes.length, frameIndex: { kind: 'sequential', frames: 1 } });
    expect(await tap(Buffer.concat([bytes, Buffer.alloc(1)]), DEFLATED)).toMatchObject({ sopInstanceUid: '1.2.3.4' });
  });

  test('keeps small sequences, and leaves out large ones with a warning', async () => {
    const item = new Dataset().set('ScheduledProcedureStepID', 'SPS').set('RequestedProcedureID', 'RP');
    const small = await tap(writeDataset(study({ RequestAttributesSequence: [item] }), EXPLICIT), EXPLICIT);
    expect(small.attributes.series['00400275']).toEqual({ vr: 'SQ', Value: [{ '00400009': { vr: 'SH', Value: ['SPS'] }, '00401001': { vr: 'SH', Value: ['RP'] } }] });
    const large = await tap(writeDataset(study({ RequestAttributesSequence: Array.from({ length: 1000 }, () => item) }), EXPLICIT), EXPLICIT);
    expect(large.attributes.series['00400275']).toBeUndefined();
    expect(large.warnings).toEqual(['an index attribute is too long and was left out of the index']);
    expect(large.search.modality).toBe('CT');
  });

  test('the universal issuer goes before the local one, and the default stands in for none', async () => {
    const qualifiers = [new Dataset().set('UniversalEntityID', '1.2.9')];
    expect((await tap(writeDataset(study({ IssuerOfPatientIDQualifiersSequence: qualifiers }), EXPLICIT), EXPLICIT)).search.issuer).toBe('1.2.9');
    expect((await tap(writeDataset(study().delete('IssuerOfPatientID'), EXPLICIT), EXPLICIT, { defaultIssuer: 'HOSPITAL' })).search.issuer).toBe('HOSPITAL');
  });

  test('a default character set stands in for none', async () => {
    const bytes = writeDataset(study().delete('SpecificCharacterSet').set('PatientName', Uint8Array.of(0xcb, 0xee), 'PN'), EXPLICIT);
    expect((await tap(bytes, EXPLICIT, { defaultCharacterSet: 'ISO_IR 144' })).search.patientName).toBe('ЫЮ');
  });

  test('values sent as UN are read by the dictionary', async () => {
    const bytes = writeDataset(study().set('PatientID', Buffer.from('P2'), 'UN').set('Rows', Uint8Array.of(9, 0), 'UN'), BIG);
    expect((await tap(bytes, BIG)).search).toMatchObject({ patientId: 'P2', rows: 9 });
  });

  test('odd types of index attributes and of pixel data are read over', async () => {
    const bytes = writeDataset(study().set('PatientID', [new Dataset().set('Rows', 1)], 'SQ').set('RequestAttributesSequence', 'text', 'LO').set(0x7fe00010, [], 'SQ'), EXPLICIT);
    expect(await tap(bytes, EXPLICIT)).toMatchObject({ search: { patientId: null }, frameIndex: { kind: 'none' } });
  });

  test('an absurd number of frames costs nothing', async () => {
    const bytes = writeDataset(study({ NumberOfFrames: '2147483647' }).set('PixelData', new Uint8Array(40)), EXPLICIT);
    expect(await tap(bytes, EXPLICIT)).toMatchObject({ numberOfFrames: 2147483647, frameIndex: { kind: 'ambiguous' } });
  });

  test('a truncated dataset is refused at its end', async () => {
    const bytes = writeDataset(study().set('PixelData', new Uint8Array(40)), EXPLICIT);
    await expect(tap(bytes.subarray(0, -1), EXPLICIT)).rejects.toMatchObject({ code: 'TRUNCATED' });
    const deflated = writeDataset(study(), DEFLATED);
    await expect(tap(deflated.subarray(0, deflated.length >> 1), DEFLATED)).rejects.toMatchObject({ code: 'BAD_DEFLATE' });
  });

  test('a deflate bomb is refused before it has cost 32 MiB', async () => {
    // 256 MiB of zeros behind a header: about 260 KB deflated.
    const header = writeDataset(study(), EXPLICIT);
    const element = Buffer.from('e07f10004f570000000000100000', 'hex').subarray(0, 12);
    const bomb = deflateRawSync(Buffer.concat([header, element, Buffer.alloc(256 * 1024 * 1024)]));
    const before = process.memoryUsage().rss;
    await expect(tap(bomb, DEFLATED)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024);
  });

  test('bytes that are no deflate stream are refused', async () => {
    await expect(tap(Buffer.alloc(500, 0xff), DEFLATED)).rejects.toMatchObject({ code: 'BAD_DEFLATE' });
  });

  test('a warning or an error never holds a value', async () => {
    const bytes = writeDataset(study({ NumberOfFrames: 'SECRET', SpecificCharacterSet: 'SECRET' }).set('PixelData', new Uint8Array(40)), EXPLICIT);
    expect((await tap(bytes, EXPLICIT)).warnings).toEqual(['an unknown character set', 'Number of Frames is not a positive number']);
  });
});
