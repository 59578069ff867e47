// Frames out of stored bytes: encapsulated ones without their item headers, bit-packed ones from their first bit on, big
// endian ones turned (PS3.5 §8.1.1, §8.2, Annex A.4).
import { CorruptDataError } from '@perennia/errors';

const ITEM = 0xfffee000;
const DELIMITER = 0xfffee0dd;

/** Splits `FFFE,E000 length value …` into the values. Views, no copies. @throws CorruptDataError when it is not that */
export function fragmentsOf(range: Buffer): Buffer[] {
  const fragments: Buffer[] = [];
  let at = 0;
  while (at + 8 <= range.length) {
    const tag = range.readUInt16LE(at) * 0x10000 + range.readUInt16LE(at + 2);
    if (tag === DELIMITER) return fragments;
    const end = at + 8 + range.readUInt32LE(at + 4);
    if (tag !== ITEM || end > range.length) throw new CorruptDataError('The frame index does not fit the encapsulated pixel data.');
    fragments.push(range.subarray(at + 8, end));
    at = end;
  }
  if (at !== range.length) throw new CorruptDataError('The frame index does not fit the encapsulated pixel data.');
  return fragments;
}

/** Bits from `firstBit` on, moved to begin at bit 0; the unused bits of the last byte are zero. Bit 0 is the least significant. */
export function bitsFrom(bytes: Buffer, firstBit: number, bitCount: number): Buffer {
  const result = Buffer.alloc(Math.ceil(bitCount / 8));
  const shift = firstBit & 7;
  const start = firstBit >> 3;
  for (let index = 0; index < result.length; index++) {
    result[index] = (bytes[start + index]! >> shift) | ((bytes[start + index + 1] ?? 0) << (8 - shift));
  }
  if (bitCount % 8 !== 0) result[result.length - 1]! &= (1 << (bitCount % 8)) - 1;
  return result;
}

/** Words of big endian pixel data or values as little endian, the byte order of application/octet-stream. A copy. */
export function toLittleEndian(bytes: Buffer, wordBytes: number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length % wordBytes !== 0) return copy;
  if (wordBytes === 2) copy.swap16();
  else if (wordBytes === 4) copy.swap32();
  else if (wordBytes === 8) copy.swap64();
  return copy;
}
