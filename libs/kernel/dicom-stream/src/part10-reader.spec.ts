import { describe, expect, test } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { IMPLEMENTATION_CLASS_UID, part10Prefix } from './part10-prefix.js';
import { Part10Reader } from './part10-reader.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const BIG = '1.2.840.10008.1.2.2';
const fields = { sopClassUid: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUid: '1.2.3.4', transferSyntaxUid: EXPLICIT, sourceAet: 'SCANNER' };
const dataset = (uid: string): Buffer => writeDataset(new Dataset().set('SOPClassUID', fields.sopClassUid).set('PatientID', 'x'.repeat(200)), uid);

function read(file: Buffer, chunkBytes: number): { reader: Part10Reader; rest: Buffer } {
  const reader = new Part10Reader();
  const parts: Uint8Array[] = [];
  for (let at = 0; at < file.length; at += chunkBytes) parts.push(Buffer.from(reader.push(file.subarray(at, at + chunkBytes))));
  parts.push(reader.end());
  return { reader, rest: Buffer.concat(parts) };
}

describe('Part10Reader', () => {
  test.each([1, 7, 100, 100_000])('reads what part10Prefix writes, in chunks of %d bytes', (chunkBytes) => {
    const prefix = part10Prefix(fields);
    const { reader, rest } = read(Buffer.concat([prefix, dataset(EXPLICIT)]), chunkBytes);
    expect(reader.header).toEqual({
      form: 'part10', preamble: null, datasetOffset: prefix.length, transferSyntaxUid: EXPLICIT, mediaStorageSopClassUid: fields.sopClassUid, mediaStorageSopInstanceUid: '1.2.3.4',
      implementationClassUid: IMPLEMENTATION_CLASS_UID, implementationVersionName: 'PERENNIA_0_1', sourceAet: 'SCANNER', warnings: [],
    });
    expect(rest).toEqual(dataset(EXPLICIT));
  });

  test('accepts File Meta Information without preamble, and tells a preamble that holds something', () => {
    const file = Buffer.concat([part10Prefix(fields), dataset(EXPLICIT)]);
    expect(read(file.subarray(132), 5).reader.header).toMatchObject({ form: 'meta-without-preamble', mediaStorageSopInstanceUid: '1.2.3.4' });
    file.write('MZ', 0, 'latin1');
    expect(read(file, 50).reader.header!.preamble!.toString('latin1', 0, 2)).toBe('MZ');
  });

  test('tells a group length that is wrong, and reads on', () => {
    const file = Buffer.concat([part10Prefix(fields), dataset(EXPLICIT)]);
    file.writeUInt32LE(4, 140);
    const { reader, rest } = read(file, 9);
    expect(reader.header!.warnings).toEqual(['File Meta Information of another length than it says']);
    expect(rest).toEqual(dataset(EXPLICIT));
  });

  test.each([EXPLICIT, IMPLICIT, BIG])('recognises a bare dataset (%s)', (uid) => {
    const { reader, rest } = read(dataset(uid), 3);
    expect(reader.header).toMatchObject({ form: 'bare-dataset', transferSyntaxUid: uid, datasetOffset: 0 });
    expect(rest).toEqual(dataset(uid));
  });

  test.each([
    ['an empty file', Buffer.alloc(0), 'NOT_DICOM'],
    ['a text', Buffer.from('Dear colleague, '.repeat(50)), 'NOT_DICOM'],
    ['zeros', Buffer.alloc(500), 'NOT_DICOM'],
    ['a few bytes', Buffer.of(8, 0, 5), 'NOT_DICOM'],
    ['a preamble and nothing else', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]), 'NOT_DICOM'],
    ['a meta header that is cut', part10Prefix(fields).subarray(0, 200), 'TRUNCATED'],
    ['a meta header without end', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM02000100'), Buffer.from('4f420000ffffff7f', 'hex')]), 'NOT_DICOM'],
    ['a meta element of 2 GiB', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.from('020001004f420000ffffff7f', 'hex'), Buffer.alloc(50)]), 'MALFORMED'],
  ])('refuses %s', (_name, file, code) => {
    expect(() => read(file, 64)).toThrow(expect.objectContaining({ code }) as unknown as Error);
  });
});
