// A small but complete explicit VR little endian dataset, made from nothing but its number: the same number gives the same bytes.
import { createHash } from 'node:crypto';

export interface SyntheticObject {
  sopClassUid: string;
  sopInstanceUid: string;
  seriesInstanceUid: string;
  studyInstanceUid: string;
  transferSyntaxUid: string;
  dataset: Buffer;
  /** Lower-case hex SHA-256 of the dataset. */
  sha256: string;
}

export interface SyntheticOptions {
  /** Root of all UIDs; differs between runs. */
  root: string;
  study: number;
  series: number;
  instance: number;
  pixelBytes: number;
  /** Another value gives other bytes under the same UIDs. */
  flavour?: number;
}

const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const longForm = new Set(['OB', 'OW', 'UN', 'UT', 'SQ']);

function element(tag: number, vr: string, value: Buffer): Buffer {
  const long = longForm.has(vr);
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(value.length, 8);
  else head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
}
function text(tag: number, vr: string, value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const pad = bytes.length % 2 === 0 ? Buffer.alloc(0) : Buffer.from(vr === 'UI' ? '\0' : ' ');
  return element(tag, vr, Buffer.concat([bytes, pad]));
}
function unsigned(tag: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return element(tag, 'US', bytes);
}

/** Bytes that look random but follow from the seed (xorshift), cheap enough for megabytes. */
function noise(seed: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state >>> 0;
  }
  return Buffer.from(words.buffer, 0, length);
}

export function syntheticObject(options: SyntheticOptions): SyntheticObject {
  const { root, study, series, instance, flavour = 0 } = options;
  const studyInstanceUid = `${root}.${study}`;
  const seriesInstanceUid = `${studyInstanceUid}.${series}`;
  const sopInstanceUid = `${seriesInstanceUid}.${instance}`;
  const columns = options.pixelBytes > 1_000_000 ? 2048 : 64;
  const rows = Math.max(1, Math.round(options.pixelBytes / (2 * columns)));
  const dataset = Buffer.concat([
    text(0x00080005, 'CS', 'ISO_IR 100'),
    text(0x00080016, 'UI', CT_IMAGE_STORAGE),
    text(0x00080018, 'UI', sopInstanceUid),
    text(0x00080020, 'DA', '20240131'),
    text(0x00080030, 'TM', '101112'),
    text(0x00080050, 'SH', `A${study}`),
    text(0x00080060, 'CS', 'CT'),
    text(0x00080090, 'PN', 'Referrer^Rita'),
    text(0x00100010, 'PN', `Promise^Patient${study}`),
    text(0x00100020, 'LO', `P${study}`),
    text(0x00100030, 'DA', '19700101'),
    text(0x00100040, 'CS', 'O'),
    text(0x0020000d, 'UI', studyInstanceUid),
    text(0x0020000e, 'UI', seriesInstanceUid),
    text(0x00200010, 'SH', `${study}`),
    text(0x00200011, 'IS', `${series}`),
    text(0x00200013, 'IS', `${instance}`),
    unsigned(0x00280002, 1),
    text(0x00280004, 'CS', 'MONOCHROME2'),
    unsigned(0x00280010, rows),
    unsigned(0x00280011, columns),
    unsigned(0x00280100, 16),
    unsigned(0x00280101, 16),
    unsigned(0x00280102, 15),
    unsigned(0x00280103, 0),
    element(0x7fe00010, 'OW', noise(((study * 31 + series) * 977 + instance) * 7 + flavour, rows * columns * 2)),
  ]);
  const sha256 = createHash('sha256').update(dataset).digest('hex');
  return { sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid, seriesInstanceUid, studyInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE_ENDIAN, dataset, sha256 };
}
