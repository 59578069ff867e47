import { describe, expect, it } from '@jest/globals';
import { crc32, gunzipSync } from 'node:zlib';
import { crc32Combine, crc32Shift } from './crc32-combine.js';
import { BASE_URL_MARK, fillMetadataBlob, MetadataBlobWriter } from './metadata-blob.js';

const instance = (number: number, base: string): string =>
  JSON.stringify({ '00080018': { vr: 'UI', Value: [`1.2.3.${number}`] }, '00104000': { vr: 'LT', Value: [`"BulkDataURI":"\u0001 is only text ${'y'.repeat(number % 900)}`] }, '7FE00010': { vr: 'OW', BulkDataURI: `${base}/studies/1/bulkdata/${number}` } });
const whole = (count: number, base: string): string => `[${Array.from({ length: count }, (_, index) => instance(index, base)).join(',')}]`;

function blobOf(count: number): Buffer {
  const writer = new MetadataBlobWriter();
  writer.add('[');
  for (let index = 0; index < count; index++) writer.add((index > 0 ? ',' : '') + instance(index, BASE_URL_MARK));
  writer.add(']');
  return writer.finish();
}

describe('prebuilt metadata', () => {
  it.each([0, 1, 2, 300])('of %d instances are valid gzip with the base URL of whoever asks', (count) => {
    const blob = blobOf(count);
    for (const base of ['http://127.0.0.1:8080/dicom-web', 'https://archive.example']) {
      const sent = Buffer.concat(fillMetadataBlob(blob, base)!);
      expect(JSON.parse(gunzipSync(sent).toString())).toEqual(JSON.parse(whole(count, base)));
    }
  });
  it('stay small: the holes do not cost the compression', () => {
    expect(blobOf(300).length).toBeLessThan(whole(300, 'http://127.0.0.1:8080/dicom-web').length / 3);
  });
  it('are not used for a base URL that does not fit, and not believed when damaged', () => {
    expect(fillMetadataBlob(blobOf(2), `http://${'x'.repeat(100)}`)).toBeNull();
    expect(() => fillMetadataBlob(Buffer.from('not a blob at all'), 'http://x')).toThrow(/prebuilt/);
  });
});

describe('crc32Combine', () => {
  it('gives the checksum of joined texts', () => {
    for (const [left, right] of [['', ''], ['a', ''], ['', 'b'], ['hello ', 'world'], ['x'.repeat(1000), 'y'.repeat(70_000)]] as const) {
      expect(crc32Combine(crc32(left), crc32(right), crc32Shift(right.length))).toBe(crc32(left + right));
    }
  });
});
