// Small, valid Part 10 objects (PS3.10 §7, Explicit VR Little Endian) made by code: real bytes with the digests and offsets a receiver
// would find in them.
import { createHash } from 'node:crypto';
import { seededUid } from './seeded-uid.js';

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const LONG_VRS = ['OB', 'OW', 'UN', 'SQ', 'UT'];

export interface Part10Options {
  studyInstanceUid?: string;
  seriesInstanceUid?: string;
  sopInstanceUid?: string;
  sopClassUid?: string;
  patientId?: string | null;
  issuer?: string | null;
  patientName?: string;
  studyDate?: string;
  accessionNumber?: string;
  modality?: string;
  seriesNumber?: number;
  instanceNumber?: number;
  /** Length of the pixel data; even. */
  pixelBytes?: number;
  /** Makes the pixels differ. */
  pixelSeed?: number;
  /** AE title in File Meta Information: changes the object's bytes but not its dataset. */
  sourceAet?: string;
}
export interface Part10Object {
  bytes: Buffer;
  datasetOffset: number;
  headerLength: number;
  /** Lower-case hex. */
  datasetSha256: string;
  values: Required<Part10Options>;
}

export function part10(options: Part10Options = {}): Part10Object {
  const values = withDefaults(options);
  const header = Buffer.concat([
    element(0x0008, 0x0016, 'UI', values.sopClassUid),
    element(0x0008, 0x0018, 'UI', values.sopInstanceUid),
    element(0x0008, 0x0020, 'DA', values.studyDate),
    element(0x0008, 0x0050, 'SH', values.accessionNumber),
    element(0x0008, 0x0060, 'CS', values.modality),
    element(0x0010, 0x0010, 'PN', values.patientName),
    element(0x0010, 0x0020, 'LO', values.patientId ?? ''),
    ...(values.issuer === null ? [] : [element(0x0010, 0x0021, 'LO', values.issuer)]),
    element(0x0020, 0x000d, 'UI', values.studyInstanceUid),
    element(0x0020, 0x000e, 'UI', values.seriesInstanceUid),
    element(0x0020, 0x0011, 'IS', String(values.seriesNumber)),
    element(0x0020, 0x0013, 'IS', String(values.instanceNumber)),
    element(0x0028, 0x0010, 'US', unsigned(1)),
    element(0x0028, 0x0011, 'US', unsigned(values.pixelBytes)),
    element(0x0028, 0x0100, 'US', unsigned(8)),
  ]);
  const prefix = fileMeta(values);
  const dataset = Buffer.concat([header, element(0x7fe0, 0x0010, 'OB', pixels(values.pixelBytes, values.pixelSeed))]);
  return {
    bytes: Buffer.concat([prefix, dataset]),
    datasetOffset: prefix.length,
    headerLength: prefix.length + header.length,
    datasetSha256: createHash('sha256').update(dataset).digest('hex'),
    values,
  };
}

function withDefaults(options: Part10Options): Required<Part10Options> {
  return {
    studyInstanceUid: seededUid('study'), seriesInstanceUid: seededUid('series'), sopInstanceUid: seededUid('instance'),
    sopClassUid: SECONDARY_CAPTURE, patientId: 'PAT-1', issuer: null, patientName: 'DOE^JANE', studyDate: '20240131', accessionNumber: 'ACC-1',
    modality: 'OT', seriesNumber: 1, instanceNumber: 1, pixelBytes: 256, pixelSeed: 0, sourceAet: 'TEST', ...options,
  };
}

function fileMeta(values: Required<Part10Options>): Buffer {
  const group = Buffer.concat([
    element(0x0002, 0x0001, 'OB', Buffer.from([0, 1])),
    element(0x0002, 0x0002, 'UI', values.sopClassUid),
    element(0x0002, 0x0003, 'UI', values.sopInstanceUid),
    element(0x0002, 0x0010, 'UI', EXPLICIT_LITTLE_ENDIAN),
    element(0x0002, 0x0012, 'UI', '2.25.1'),
    element(0x0002, 0x0016, 'AE', values.sourceAet),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(group.length);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(0x0002, 0x0000, 'UL', length), group]);
}

function element(group: number, number: number, vr: string, value: string | Buffer): Buffer {
  const raw = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const padded = raw.length % 2 === 0 ? raw : Buffer.concat([raw, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  const head = Buffer.alloc(LONG_VRS.includes(vr) ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (head.length === 12) head.writeUInt32LE(padded.length, 8);
  else head.writeUInt16LE(padded.length, 6);
  return Buffer.concat([head, padded]);
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value & 0xffff);
  return bytes;
}

function pixels(lengthBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes, seed & 0xff);
  if (lengthBytes >= 4) bytes.writeUInt32LE(seed >>> 0, 0);
  return bytes;
}
