// One element's bytes as DICOM JSON (PS3.18 Annex F). Exact: an empty value has no `Value`, 64-bit integers keep every digit,
// binary values are little endian whatever the dataset was, text is Unicode without padding.
import { type DicomJsonElement } from '@perennia/contracts';
import { type CharacterSet } from './character-set.js';
import { parsePersonName } from './person-name.js';
import { type Tag, tagKey } from './tag.js';
import { unitBytes } from './vr.js';

/** How the bytes of a value are to be read. */
export interface ValueEncoding {
  bigEndian: boolean;
  characterSet: CharacterSet;
}

/** The DICOM JSON of a value that is no sequence. */
export function elementToJson(vr: string, bytes: Buffer, start: number, end: number, encoding: ValueEncoding): DicomJsonElement {
  if (start === end) return { vr };
  const read = numberReaders[vr];
  if (read !== undefined) return withValues(vr, readNumbers(read, unitBytes(vr) * (vr === 'AT' ? 2 : 1), bytes, start, end, encoding.bigEndian));
  if (isBinaryVr(vr)) return { vr, InlineBinary: littleEndian(vr, bytes, start, end, encoding.bigEndian).toString('base64') };
  return textToJson(vr, encoding.characterSet.decodeRange(bytes, start, end, vr));
}

/** The DICOM JSON of a decoded text value, still with its padding. */
export function textToJson(vr: string, text: string): DicomJsonElement {
  if (UNSPLIT.has(vr)) {
    const whole = trimEnd(text);
    return whole === '' ? { vr } : { vr, Value: [whole] };
  }
  if (!text.includes('\\')) {
    const only = oneValue(vr, text);
    return only === null ? { vr } : { vr, Value: [only] };
  }
  return withValues(vr, text.split('\\').map((part) => oneValue(vr, part)));
}
/** PS3.5 §6.2: VRs in which the backslash separates nothing. */
const UNSPLIT = new Set(['LT', 'ST', 'UR', 'UT']);

function withValues(vr: string, values: unknown[]): DicomJsonElement {
  return values.length === 0 ? { vr } : { vr, Value: values };
}

/** One value of a text VR; null when it is empty (PS3.18 §F.2.5). */
function oneValue(vr: string, text: string): unknown {
  const value = vr === 'UC' || vr === 'DT' ? trimEnd(text) : trim(text);
  if (value === '') return null;
  if (vr === 'PN') {
    const name = parsePersonName(value);
    for (const _ in name) return name;
    return null;
  }
  if (vr === 'IS') return INTEGER.test(value) && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (vr === 'DS') return decimal(value);
  return value;
}
const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A number where a double holds it, the text where it does not (PS3.18 Table F.2.3-1 allows both). */
function decimal(value: string): number | string {
  if (!DECIMAL.test(value)) return value;
  const number = Number(value);
  return Number.isFinite(number) && (number !== 0 || !/[1-9]/.test(value.replace(/[eE].*/, ''))) ? number : value;
}

type NumberReader = (bytes: Buffer, at: number, bigEndian: boolean) => unknown;
const numberReaders: Readonly<Record<string, NumberReader | undefined>> = {
  US: (b, at, big) => (big ? b.readUInt16BE(at) : b.readUInt16LE(at)),
  SS: (b, at, big) => (big ? b.readInt16BE(at) : b.readInt16LE(at)),
  UL: (b, at, big) => (big ? b.readUInt32BE(at) : b.readUInt32LE(at)),
  SL: (b, at, big) => (big ? b.readInt32BE(at) : b.readInt32LE(at)),
  FL: (b, at, big) => finite(big ? b.readFloatBE(at) : b.readFloatLE(at)),
  FD: (b, at, big) => finite(big ? b.readDoubleBE(at) : b.readDoubleLE(at)),
  SV: (b, at, big) => exact(big ? b.readBigInt64BE(at) : b.readBigInt64LE(at)),
  UV: (b, at, big) => exact(big ? b.readBigUInt64BE(at) : b.readBigUInt64LE(at)),
  AT: (b, at, big) => tagKey(readTag(b, at, big)),
};

function readNumbers(read: NumberReader, unit: number, bytes: Buffer, start: number, end: number, bigEndian: boolean): unknown[] {
  const values: unknown[] = [];
  for (let at = start; at + unit <= end; at += unit) values.push(read(bytes, at, bigEndian));
  return values;
}
function readTag(bytes: Buffer, at: number, bigEndian: boolean): Tag {
  return bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt16LE(at) * 0x10000 + bytes.readUInt16LE(at + 2);
}
/** JSON has no such numbers; these words are the ones DCMTK and others read. */
function finite(value: number): number | string {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf';
}
/** Beyond 2^53 a JSON number would be rounded by most readers, so it is a string (PS3.18 Table F.2.3-1, SV and UV). */
function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Whether DICOM JSON writes values of this VR as InlineBinary (PS3.18 §F.2.7). */
export function isBinaryVr(vr: string): boolean {
  return vr === 'UN' || vr === 'OB' || vr === 'OW' || vr === 'OF' || vr === 'OD' || vr === 'OL' || vr === 'OV';
}
/** A copy of a value in the byte order of DICOM JSON and of bulk data, little endian. */
export function littleEndian(vr: string, bytes: Buffer, start: number, end: number, bigEndian: boolean): Buffer {
  const value = Buffer.from(bytes.subarray(start, end));
  const unit = bigEndian ? unitBytes(vr) : 1;
  const whole = value.subarray(0, value.length - (value.length % unit));
  if (unit === 2) whole.swap16();
  else if (unit === 4) whole.swap32();
  else if (unit === 8) whole.swap64();
  return value;
}

const SPACE = 0x20;
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isPadding(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}
function trim(text: string): string {
  let start = 0;
  while (start < text.length && isPadding(text.charCodeAt(start))) start++;
  return trimEnd(start === 0 ? text : text.slice(start));
}
function isPadding(c: number): boolean {
  return c === SPACE || c === 0;
}
