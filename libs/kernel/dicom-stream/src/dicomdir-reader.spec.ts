import { describe, expect, test } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { readDicomdir } from './dicomdir-reader.js';
import { part10Prefix } from './part10-prefix.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const prefix = part10Prefix({ sopClassUid: '1.2.840.10008.1.3.10', sopInstanceUid: '1.2.3', transferSyntaxUid: EXPLICIT });

function record(type: string, next: number, lower: number, extra: Record<string, string> = {}): Dataset {
  const made = new Dataset().set(0x00041400, next).set(0x00041420, lower).set(0x00041430, type);
  for (const [keyword, value] of Object.entries(extra)) made.set(keyword, value);
  return made;
}
const directory = (records: Dataset[], root = 0): Buffer => Buffer.concat([prefix, writeDataset(new Dataset().set(0x00041130, 'SET').set(0x00041200, root).set(0x00041220, records), EXPLICIT)]);
const image = (next = 0): Dataset => record('IMAGE', next, 0, { ReferencedFileID: 'A\\B\\C', ReferencedSOPInstanceUIDInFile: '1.2.3.4' });

describe('readDicomdir', () => {
  test('gives files with the keys of the records above them, by order where offsets lead nowhere', () => {
    const file = directory([record('PATIENT', 0, 0, { PatientID: 'P' }), record('STUDY', 0, 0, { StudyInstanceUID: '1.1' }), record('SERIES', 0, 0, { SeriesInstanceUID: '1.1.1' }), image()]);
    expect(readDicomdir(file)).toEqual({
      fileSetId: 'SET',
      entries: [{ fileId: ['A', 'B', 'C'], recordType: 'IMAGE', sopClassUid: '', sopInstanceUid: '1.2.3.4', transferSyntaxUid: '', patientId: 'P', studyInstanceUid: '1.1', seriesInstanceUid: '1.1.1' }],
    });
  });

  test('records that refer to one another in a circle are read once', () => {
    // The first record's item begins behind the elements before it and the sequence's header.
    const first = directory([]).length - 8;
    expect(readDicomdir(directory([image(first), image(first)], first)).entries).toHaveLength(2);
  });

  test('a directory that breaks off gives what it had', () => {
    const file = directory([image(), image()]);
    expect(readDicomdir(file.subarray(0, file.length - 40)).entries.length).toBeGreaterThan(0);
  });

  test('another file is no directory', () => {
    const other = part10Prefix({ sopClassUid: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUid: '1.2.3', transferSyntaxUid: EXPLICIT });
    expect(() => readDicomdir(Buffer.concat([other, writeDataset(new Dataset().set('PatientID', 'P'), EXPLICIT)]))).toThrow(expect.objectContaining({ code: 'NOT_DICOM' }) as unknown as Error);
  });
});
