import { describe, expect, it } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { ZipWriter } from './zip-writer.js';

const END_BYTES = 22;
const GIB = 2 ** 30;

function zipOf(entries: readonly [name: string, bytes: Buffer, expectedBytes?: number][]): Buffer {
  const zip = new ZipWriter();
  const pieces = entries.flatMap(([name, bytes, expectedBytes = bytes.length]) => [zip.begin(name, expectedBytes), zip.data(bytes), zip.end()]);
  return Buffer.concat([...pieces, zip.finish()]);
}

/** Entries by the central directory, which is where readers look. */
function directoryOf(zip: Buffer): { name: string; crc: number; size: number; offset: number; version: number }[] {
  const end = zip.subarray(-END_BYTES);
  expect(end.readUInt32LE(0)).toBe(0x06054b50);
  const entries = [];
  for (let at = end.readUInt32LE(16), left = end.readUInt16LE(10); left > 0; left--) {
    const [nameBytes, extraBytes] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
    const name = zip.toString('latin1', at + 46, at + 46 + nameBytes);
    const size = extraBytes > 0 ? Number(zip.readBigUInt64LE(at + 46 + nameBytes + 4)) : zip.readUInt32LE(at + 24);
    entries.push({ name, crc: zip.readUInt32LE(at + 16), size, offset: zip.readUInt32LE(at + 42), version: zip.readUInt16LE(at + 6) });
    at += 46 + nameBytes + extraBytes;
  }
  return entries;
}

describe('ZipWriter', () => {
  const [one, two] = [Buffer.from('one'), Buffer.alloc(1000, 7)];
  it('W12 tells name, CRC-32, length and place of each entry', () => {
    const zip = zipOf([['a/one', one], ['a/two', two]]);
    const [first, second] = directoryOf(zip);
    expect(first).toEqual({ name: 'a/one', crc: crc32(one), size: 3, offset: 0, version: 20 });
    expect(second).toMatchObject({ name: 'a/two', crc: crc32(two), size: 1000 });
    expect(zip.readUInt32LE(second!.offset)).toBe(0x04034b50);
    const data = second!.offset + 30 + 'a/two'.length;
    expect(zip.subarray(data, data + 1000).equals(two)).toBe(true);
  });
  it('W12 is a valid archive without entries', () => expect(directoryOf(new ZipWriter().finish())).toEqual([]));
  it('W12 uses Zip64 for an entry that may need it', () => {
    const [entry, after] = directoryOf(zipOf([['large', one, 5 * GIB], ['small', two]]));
    expect(entry).toMatchObject({ crc: crc32(one), size: 3, version: 45 });
    expect(after).toMatchObject({ size: 1000, version: 20 });
  });
  it('W12 uses Zip64 for more entries than 16 bits count', () => {
    const end = zipOf(Array.from({ length: 70_000 }, (_, index) => [`n/${index}`, Buffer.alloc(0)])).subarray(-END_BYTES - 20 - 56);
    expect(end.readUInt32LE(0)).toBe(0x06064b50);
    expect(end.readBigUInt64LE(32)).toBe(70_000n);
    expect(end.readUInt32LE(56)).toBe(0x07064b50);
    expect(end.readUInt16LE(56 + 20 + 10)).toBe(0xffff);
  });
  it.each(['', '/a', 'a//b', '../a', 'a/..', 'ä', 'a\nb'])('W12 refuses the name %j', (name) => expect(() => new ZipWriter().begin(name, 0)).toThrow(RangeError));
});
