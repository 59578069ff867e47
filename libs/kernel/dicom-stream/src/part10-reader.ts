// Separates the File Meta Information of a DICOM file from its dataset while the bytes arrive (PS3.10 §7.1). Accepts three
// beginnings: preamble and `DICM`; File Meta Information without them; and a bare dataset that begins with group 0008 in a
// plausible encoding. Everything else, and a File Meta Information without transfer syntax, is NOT_DICOM.
import {
  DicomParseError, EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, hasLongForm, IMPLICIT_VR_LITTLE_ENDIAN, isKnownVr, lookupTag, tagKey,
} from '@perennia/dicom-data';
import { type Part10Header } from './part10-header.js';

const PREAMBLE_BYTES = 128;
const PREFIX_END = 132;
/** File Meta Information is a few hundred bytes; what claims more is refused. */
const MAX_META_BYTES = 64 * 1024;
const META_GROUP = 0x0002;

export class Part10Reader {
  private gathered: Buffer | undefined = Buffer.alloc(0);
  private needed = 0;
  private found: Part10Header | undefined;

  /** Known as soon as the File Meta Information is complete. */
  get header(): Part10Header | undefined {
    return this.found;
  }

  /** Takes the next bytes of the file; answers those of them, and of earlier ones held back, that belong to the dataset. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.gathered === undefined) return chunk;
    this.gathered = Buffer.concat([this.gathered, chunk]);
    if (this.gathered.length < this.needed) return EMPTY;
    return this.begin(this.gathered, false);
  }

  /** The file is complete. Answers what was held back of its dataset; throws when it never became a DICOM file. */
  end(): Uint8Array {
    return this.gathered === undefined ? EMPTY : this.begin(this.gathered, true);
  }

  private begin(bytes: Buffer, isComplete: boolean): Uint8Array {
    const header = parseBeginning(bytes, isComplete);
    if (typeof header === 'number') {
      this.needed = header;
      if (isComplete || header > MAX_META_BYTES) throw isComplete ? cutShort(bytes) : new DicomParseError('LIMIT_EXCEEDED', 'The File Meta Information is too long.');
      return EMPTY;
    }
    this.found = header;
    this.gathered = undefined;
    return bytes.subarray(header.datasetOffset);
  }
}
const EMPTY = new Uint8Array(0);

function cutShort(bytes: Buffer): DicomParseError {
  if (bytes.length === 0) return new DicomParseError('NOT_DICOM', 'The file is empty.');
  return new DicomParseError('TRUNCATED', 'The file ends before its dataset begins.');
}

/** The header at the start of `b`, or how many bytes are needed to go on. */
function parseBeginning(b: Buffer, isComplete: boolean): Part10Header | number {
  if (b.length >= PREFIX_END && b.toString('latin1', PREAMBLE_BYTES, PREFIX_END) === 'DICM') return parseMeta(b, PREFIX_END, 'part10', isComplete);
  if (b.length < 8) return isComplete ? notDicom(b) : 8;
  if (b.readUInt16LE(0) === META_GROUP && isKnownVr(b.readUInt16BE(4))) return parseMeta(b, 0, 'meta-without-preamble', isComplete);
  // A preamble may hold anything, so that a file is judged without one only when it is long enough to show the lack.
  if (b.length < PREFIX_END && !isComplete) return PREFIX_END;
  return bareDataset(b);
}

/** PS3.10 §7.1: explicit VR little endian, all of group 0002; the group length is believed only as far as it fits. */
function parseMeta(b: Buffer, start: number, form: Part10Header['form'], isComplete: boolean): Part10Header | number {
  const values = new Map<string, string>();
  const warnings: string[] = [];
  let at = start;
  while (at + 8 <= b.length || !isComplete) {
    if (at + 8 > b.length) return at + 8;
    if (b.readUInt16LE(at) !== META_GROUP) break;
    const long = hasLongForm(b.readUInt16BE(at + 4));
    if (long && at + 12 > b.length) return at + 12;
    const valueStart = at + (long ? 12 : 8);
    const length = long ? b.readUInt32LE(at + 8) : b.readUInt16LE(at + 6);
    if (valueStart + length - start > MAX_META_BYTES) throw new DicomParseError('MALFORMED', 'The File Meta Information cannot be read.');
    if (valueStart + length > b.length) return valueStart + length;
    values.set(tagKey(META_GROUP * 0x10000 + b.readUInt16LE(at + 2)), b.toString('latin1', valueStart, valueStart + length));
    at = valueStart + length;
  }
  const claimed = values.get('00020000');
  if (claimed === undefined) warnings.push('File Meta Information without group length');
  else if (claimed.length === 4 && start + 12 + Buffer.from(claimed, 'latin1').readUInt32LE(0) !== at) warnings.push('File Meta Information of another length than it says');
  return headerOf(b, form, at, values, warnings);
}

function headerOf(b: Buffer, form: Part10Header['form'], datasetOffset: number, values: ReadonlyMap<string, string>, warnings: string[]): Part10Header {
  const text = (key: string): string => (values.get(key) ?? '').replace(/[\0 ]+$/, '').trimStart();
  const transferSyntaxUid = text('00020010');
  if (transferSyntaxUid === '') throw new DicomParseError('NOT_DICOM', 'The File Meta Information names no transfer syntax.');
  const preamble = form === 'part10' && b.subarray(0, PREAMBLE_BYTES).some((byte) => byte !== 0) ? Buffer.from(b.subarray(0, PREAMBLE_BYTES)) : null;
  return {
    form, preamble, datasetOffset, transferSyntaxUid, warnings,
    mediaStorageSopClassUid: text('00020002'),
    mediaStorageSopInstanceUid: text('00020003'),
    implementationClassUid: text('00020012'),
    implementationVersionName: text('00020013'),
    sourceAet: text('00020016'),
  };
}

/** A dataset without anything before it: its first element, of group 0008, tells how it is written. */
function bareDataset(b: Buffer): Part10Header {
  const little = b.readUInt16LE(0) * 0x10000 + b.readUInt16LE(2);
  const big = b.readUInt32BE(0);
  const vr = b.readUInt16BE(4);
  let transferSyntaxUid: string | undefined;
  if (isIdentifying(little) && isKnownVr(vr)) transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN;
  else if (isIdentifying(big) && isKnownVr(vr)) transferSyntaxUid = EXPLICIT_VR_BIG_ENDIAN;
  else if (isIdentifying(little) && b.readUInt32LE(4) <= 64) transferSyntaxUid = IMPLICIT_VR_LITTLE_ENDIAN;
  if (transferSyntaxUid === undefined) return notDicom(b);
  return {
    form: 'bare-dataset', preamble: null, datasetOffset: 0, transferSyntaxUid, mediaStorageSopClassUid: '', mediaStorageSopInstanceUid: '',
    implementationClassUid: '', implementationVersionName: '', sourceAet: '', warnings: ['no File Meta Information'],
  };
}
function isIdentifying(tag: number): boolean {
  return tag >>> 16 === 0x0008 && ((tag & 0xffff) === 0 || lookupTag(tag) !== undefined);
}
function notDicom(b: Buffer): never {
  throw new DicomParseError('NOT_DICOM', b.length === 0 ? 'The file is empty.' : 'The file is not a DICOM file.');
}
