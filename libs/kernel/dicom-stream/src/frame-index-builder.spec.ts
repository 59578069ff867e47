import { describe, expect, test } from '@jest/globals';
import { FrameIndexBuilder, nativeFrameIndex } from './frame-index-builder.js';
import { decodeFrameRanges } from './frame-ranges.js';

interface Case {
  frames: number;
  lengths: number[];
  heads?: number[];
  basic?: number[];
  extended?: number[];
  isVideo?: boolean;
}
const BASE = 1000;

function index({ frames, lengths, heads = [], basic = [], extended = [], isVideo = false }: Case): { kind: string; source?: string; lengths?: number[] } {
  const builder = new FrameIndexBuilder(frames, isVideo);
  const table = Buffer.alloc(8 * extended.length);
  extended.forEach((offset, i) => table.writeBigUInt64LE(BigInt(offset), 8 * i));
  builder.setExtendedOffsets(table, 0, table.length);
  builder.fragment(BASE - 8 - 4 * basic.length, 4 * basic.length);
  const offsets = Buffer.alloc(4 * basic.length);
  basic.forEach((offset, i) => offsets.writeUInt32LE(offset, 4 * i));
  builder.setBasicOffsets(offsets, 0, offsets.length);
  let at = BASE;
  lengths.forEach((length, i) => {
    builder.fragment(at, length);
    builder.fragmentHead(heads[i] ?? 0);
    at += 8 + length;
  });
  const built = builder.encapsulated();
  if (built.kind !== 'encapsulated') return { kind: built.kind };
  return { kind: built.kind, source: built.source, lengths: decodeFrameRanges(built.offset, built.ranges).map((range) => range.length) };
}
const JPEG = 0xffd8ffe0;
const J2K = 0xff4fff51;

describe('the index of encapsulated frames', () => {
  test.each<[string, Case, object]>([
    ['one frame of many fragments', { frames: 1, lengths: [10, 20] }, { kind: 'encapsulated', source: 'single', lengths: [46] }],
    ['video', { frames: 25, lengths: [10, 20], isVideo: true }, { kind: 'encapsulated', source: 'single', lengths: [46] }],
    ['one fragment a frame', { frames: 2, lengths: [10, 20] }, { kind: 'encapsulated', source: 'one-to-one', lengths: [18, 28] }],
    ['a basic offset table', { frames: 2, lengths: [10, 20, 30], basic: [0, 18] }, { kind: 'encapsulated', source: 'basic', lengths: [18, 66] }],
    ['an extended offset table before a basic one', { frames: 2, lengths: [10, 20, 30], extended: [0, 46], basic: [0, 18] }, { kind: 'encapsulated', source: 'extended', lengths: [46, 38] }],
    ['a table that points into fragments', { frames: 2, lengths: [10, 20], basic: [0, 17] }, { kind: 'encapsulated', source: 'one-to-one', lengths: [18, 28] }],
    ['a table of another number of frames', { frames: 3, lengths: [10, 20], basic: [0, 18] }, { kind: 'ambiguous' }],
    ['a table that does not ascend', { frames: 2, lengths: [10, 20, 30], basic: [0, 0] }, { kind: 'ambiguous' }],
    ['codestream starts', { frames: 2, lengths: [10, 20, 30], heads: [JPEG, 0, JPEG] }, { kind: 'encapsulated', source: 'marker', lengths: [46, 38] }],
    ['JPEG 2000 starts', { frames: 2, lengths: [10, 20, 30], heads: [J2K, J2K, 0] }, { kind: 'encapsulated', source: 'marker', lengths: [18, 66] }],
    ['starts that are too many', { frames: 2, lengths: [10, 20, 30], heads: [JPEG, JPEG, JPEG] }, { kind: 'ambiguous' }],
    ['starts after an unexplained fragment', { frames: 2, lengths: [10, 20, 30], heads: [0, JPEG, JPEG] }, { kind: 'ambiguous' }],
    ['fewer fragments than frames', { frames: 5, lengths: [10] }, { kind: 'ambiguous' }],
    ['no fragment', { frames: 1, lengths: [] }, { kind: 'ambiguous' }],
  ])('%s', (_name, given, expected) => {
    expect(index(given)).toEqual(expected);
  });
});

describe('the index of native frames', () => {
  const pixel = { rows: 4, columns: 5, samplesPerPixel: 1, bitsAllocated: 16, photometricInterpretation: 'MONOCHROME2' };
  test.each([
    ['many frames', 3, 120, pixel, { kind: 'native', frames: 3, offset: 8, length: 120, frameLengthBits: 320 }],
    ['one frame without its padding', 1, 10, { ...pixel, rows: 3, columns: 3, bitsAllocated: 8 }, { kind: 'native', frames: 1, offset: 8, length: 10, frameLengthBits: 72 }],
    ['one frame of a size nobody tells', 1, 10, { ...pixel, rows: 0 }, { kind: 'native', frames: 1, offset: 8, length: 10, frameLengthBits: 80 }],
    ['subsampled colour', 2, 80, { ...pixel, bitsAllocated: 8, samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL_422' }, { kind: 'native', frames: 2, offset: 8, length: 80, frameLengthBits: 320 }],
    ['more frames than bytes', 2_147_483_647, 120, pixel, { kind: 'ambiguous', frames: 2_147_483_647, offset: 8 }],
    ['sizes whose product is no safe number', 2, 120, { ...pixel, rows: 2 ** 31, columns: 2 ** 31 }, { kind: 'ambiguous', frames: 2, offset: 8 }],
  ] as const)('%s', (_name, frames, length, description, expected) => {
    expect(nativeFrameIndex(frames, 8, length, description)).toEqual(expected);
  });
});
