import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { bucketOf } from '@perennia/contracts';
import { InvalidInputError } from '@perennia/errors';
import { assertObjectKey, packKey, studyHash, workKey } from './object-key.js';

/** RFC 4648 §6 by the book: five bits at a time from a string of bits. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

describe('Object keys', () => {
  it('name a study by the base32 of 128 bits of its hash', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (tenant, study) => {
        const digest = createHash('sha256').update(`${tenant}\0${study}`).digest();
        expect(studyHash(tenant, study)).toBe(base32(digest.subarray(0, 16)));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('begin with area and bucket', () => {
    const bucket = bucketOf('default', '1.2.3').toString(16).padStart(3, '0');
    expect(packKey('default', '1.2.3', '0190a')).toBe(`data/${bucket}/default/${studyHash('default', '1.2.3')}/0190a.pack`);
    expect(workKey('metadata', 'x.json.gz')).toBe('work/metadata/x.json.gz');
    expect(workKey('_journal', '1')).toBe('work/_journal/1');
  });

  it('refuse what is not ours', () => {
    for (const make of [() => packKey('../a', '1', 'p'), () => packKey('a', '1', 'p/..'), () => workKey('..'), () => workKey('a', ''), () => assertObjectKey('data/abc')]) {
      expect(make).toThrow(InvalidInputError);
    }
  });
});
