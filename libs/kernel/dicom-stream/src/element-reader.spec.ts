// Properties of the reader over datasets made by the writer, hostile input, and mutated input: it answers or refuses, in
// bounded time and memory, and chunk borders never matter.
import { describe, expect, test } from '@jest/globals';
import { Dataset, DicomParseError, Fragments, tagKey, transferSyntaxOf, writeDataset } from '@perennia/dicom-data';
import * as fc from 'fast-check';
import { ElementReader } from './element-reader.js';
import { CAPTURE, DESCEND, type ElementVisitor, UNDEFINED_LENGTH } from './element-visitor.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const BIG = '1.2.840.10008.1.2.2';
const JPEG = '1.2.840.10008.1.2.4.50';

/** Everything a reader tells, as lines. */
function trace(bytes: Uint8Array, uid: string, chunkBytes: (left: number) => number): string[] {
  const lines: string[] = [];
  const visitor: ElementVisitor = {
    element(tag, vr, length) {
      lines.push(`${'  '.repeat(reader.depth)}${tagKey(tag)} ${vr} ${length} @${reader.valueOffset}`);
      return length === UNDEFINED_LENGTH || tag >>> 16 === 0x0040 ? DESCEND : CAPTURE;
    },
    value: (_tag, _vr, value, start, end) => void lines.push(value.toString('hex', start, end)),
    startItem: () => void lines.push('item'),
    endItem: () => void lines.push('end item'),
    endSequence: () => void lines.push('end sequence'),
    fragment(offset, length) {
      lines.push(`fragment @${offset} ${length}`);
      return length < 5 ? CAPTURE : 0;
    },
    fragmentHead: (head) => void lines.push(`head ${head.toString(16)}`),
    endFragments: (offset) => void lines.push(`end fragments @${offset}`),
  };
  const { explicit, bigEndian } = transferSyntaxOf(uid);
  const reader = new ElementReader({ explicit, bigEndian, visitor });
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, chunkBytes(bytes.length - at));
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    reader.push(chunk);
    chunk.fill(0xee);
    at += size;
  }
  reader.end();
  return lines;
}

const leaf = fc.oneof(
  fc.tuple(fc.constantFrom(0x00080050, 0x00100020, 0x00081030), fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 40 })),
  fc.tuple(fc.constantFrom(0x00280010, 0x00280011), fc.nat({ max: 65535 })),
  fc.tuple(fc.constantFrom(0x00420011, 0x54001010), fc.uint8Array({ maxLength: 300 })),
);
function datasets(depth: number): fc.Arbitrary<Dataset> {
  const items = depth === 0 ? fc.constant([]) : fc.array(datasets(depth - 1), { maxLength: 3 });
  return fc.tuple(fc.array(leaf, { maxLength: 5 }), fc.array(fc.tuple(fc.constantFrom(0x0040a730, 0x00400275), items), { maxLength: 2 })).map(([leaves, sequences]) => {
    const made = new Dataset();
    for (const [tag, value] of leaves) made.set(tag, value);
    for (const [tag, value] of sequences) made.set(tag, value);
    return made;
  });
}

const nested = (depth: number, length: string): Buffer => Buffer.concat(Array.from({ length: depth }, () => Buffer.from(`400030a753510000${length}feff00e0${length}`, 'hex')));
const closing = (depth: number): Buffer => Buffer.concat(Array.from({ length: depth }, () => Buffer.from('feff0de000000000feffdde000000000', 'hex')));
const refusal = (bytes: Uint8Array, uid = EXPLICIT): string => {
  try {
    trace(bytes, uid, (left) => Math.min(left, 65536));
    return 'accepted';
  } catch (error) {
    return error instanceof DicomParseError ? error.code : String(error);
  }
};

describe('ElementReader', () => {
  test.each([EXPLICIT, IMPLICIT, BIG])('tells the same whatever the chunks are (%s)', (uid) => {
    fc.assert(fc.property(datasets(3), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (made, sizes) => {
      const bytes = writeDataset(made, uid);
      const whole = trace(bytes, uid, (left) => left);
      let i = 0;
      expect(trace(bytes, uid, () => sizes[i++ % sizes.length]!)).toEqual(whole);
      expect(trace(bytes, uid, () => 1)).toEqual(whole);
    }), { numRuns: 60 });
  });

  test('tells fragments, with the first bytes of those that are skipped', () => {
    const bytes = writeDataset(new Dataset().set(0x7fe00010, new Fragments([Buffer.from('ffd8ffe00102', 'hex'), Buffer.of(1, 2)], [0]), 'OB'), JPEG);
    const expected = ['7FE00010 20290 4294967295 @12', 'fragment @12 4', '00000000', 'fragment @24 6', 'head ffd8ffe0', 'fragment @38 2', '0102', 'end fragments @48'];
    expect(trace(bytes, JPEG, (left) => left)).toEqual(expected);
    expect(trace(bytes, JPEG, () => 1)).toEqual(expected);
  });

  test('any dataset cut anywhere but between elements is TRUNCATED', () => {
    const bytes = writeDataset(new Dataset().set('PatientName', 'A^B').set(0x0040a730, [new Dataset().set('Rows', 5)]), EXPLICIT);
    const whole = new Set([0, 12]);
    for (let end = 0; end < bytes.length; end++) {
      if (whole.has(end)) continue;
      expect(() => trace(bytes.subarray(0, end), EXPLICIT, (left) => left)).toThrow(expect.objectContaining({ code: 'TRUNCATED' }) as unknown as Error);
    }
  });

  test('UN of undefined length is a sequence in implicit VR (PS3.5 §6.2.2)', () => {
    const inner = writeDataset(new Dataset().set('PatientID', 'X1'), IMPLICIT);
    const bytes = Buffer.concat([Buffer.from('09001010554e0000ffffffff', 'hex'), Buffer.from('feff00e0ffffffff', 'hex'), inner, Buffer.from('feff0de000000000feffdde000000000', 'hex')]);
    expect(trace(bytes, EXPLICIT, (left) => left)).toEqual(['00091010 21838 4294967295 @12', 'item', '  00100020 0 2 @28', Buffer.from('X1').toString('hex'), 'end item', 'end sequence']);
  });

  describe('hostile input', () => {
    test('100,000 nested sequences are refused at 64', () => {
      const before = process.memoryUsage().heapUsed;
      expect(refusal(nested(100_000, 'ffffffff'))).toBe('LIMIT_EXCEEDED');
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024);
    });
    test('64 deep is read, 65 is not', () => {
      expect(refusal(Buffer.concat([nested(64, 'ffffffff'), closing(64)]))).toBe('accepted');
      expect(refusal(Buffer.concat([nested(65, 'ffffffff'), closing(65)]))).toBe('LIMIT_EXCEEDED');
    });
    test('a length of 4 GiB costs nothing', () => {
      const before = process.memoryUsage().arrayBuffers;
      expect(refusal(Buffer.from('08005000555400000000ff0041', 'hex'))).toBe('TRUNCATED');
      expect(refusal(Buffer.from('0800500055540000feffffff41', 'hex'))).toBe('LIMIT_EXCEEDED');
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    });
    test.each([
      ['an item that outlasts its sequence, and an element that outlasts it', '400030a75351000010000000feff00e0000100000800500053480001', 'MALFORMED'],
      ['a delimiter at the top', 'feff0de000000000', 'MALFORMED'],
      ['an element between items', '400030a753510000ffffffff08005000534800000000', 'MALFORMED'],
      ['text of undefined length', '080050005554 0000ffffffff'.replace(' ', ''), 'MALFORMED'],
      ['a sequence of undefined length that never ends', '400030a753510000ffffffff', 'TRUNCATED'],
      ['zero bytes after the end', '0800500053480000000000000000', 'accepted'],
      ['other bytes after the end', '0800500053480000010203', 'TRUNCATED'],
    ])('%s is %s', (_name, hex, outcome) => {
      expect(refusal(Buffer.from(hex, 'hex'))).toBe(outcome);
    });
    test('more elements than allowed are refused', () => {
      const visitor = { element: () => 0, value() {}, startItem() {}, endItem() {}, endSequence() {}, fragment: () => 0, fragmentHead() {}, endFragments() {} } as ElementVisitor;
      const reader = new ElementReader({ explicit: true, bigEndian: false, visitor, limits: { maxElements: 10 } });
      expect(() => reader.push(Buffer.alloc(8 * 11))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }) as unknown as Error);
    });
  });

  test('mutated datasets are read or refused, never anything else', () => {
    const sample = new Dataset().set('PatientName', 'A^B').set('Rows', 5).set(0x0040a730, [new Dataset().set('PatientID', 'x').set(0x00400275, [new Dataset().set('Rows', 1)])])
      .set(0x7fe00010, new Fragments([Buffer.alloc(20), Buffer.alloc(6)], [0, 28]), 'OB');
    const bases = [EXPLICIT, IMPLICIT, BIG, JPEG].map((uid) => ({ uid, bytes: writeDataset(sample, uid) }));
    const mutation = fc.tuple(fc.constantFrom(...bases), fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x40, 0x7f, 0xfe, 0xff, 0xe0, 0x0d)), { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 30 }));
    fc.assert(fc.property(mutation, ([{ uid, bytes }, changes, size]) => {
      const mutated = Buffer.from(bytes);
      for (const [at, value] of changes) mutated[at % mutated.length] = value;
      const outcome = (chunk: (left: number) => number): string => {
        try {
          return trace(mutated, uid, chunk).join('\n');
        } catch (error) {
          if (error instanceof DicomParseError) return error.code;
          throw error;
        }
      };
      expect(outcome(() => size)).toBe(outcome((left) => left));
    }), { numRuns: 2000, seed: 20261122 });
  });
});
