// The compact form of the places of frames in a `FrameIndex`: pairs of unsigned LEB128 numbers, in base64. Fragments stand
// end to end, so that nearly all gaps are 0 and a frame costs four bytes.
import { type FrameIndex } from '@perennia/contracts';

/** Byte range of one frame in the Part 10 object: from the header of its first fragment to the end of its last one. */
export interface FrameRange {
  offset: number;
  length: number;
}

/** Writes ranges, ascending and not overlapping; gaps count from the end of the previous range, the first from `base`. */
export function encodeFrameRanges(base: number, ranges: Iterable<FrameRange>): string {
  const encoder = new FrameRangeEncoder(base);
  for (const range of ranges) encoder.add(range.offset, range.length);
  return encoder.finish();
}

/** Encodes ranges one by one, so that a million frames need no million objects. */
export class FrameRangeEncoder {
  private bytes = Buffer.allocUnsafe(256);
  private used = 0;
  private end: number;

  constructor(base: number) {
    this.end = base;
  }

  add(offset: number, length: number): void {
    if (offset < this.end || length < 0) throw new RangeError('Frame ranges must ascend.');
    if (this.used + 2 * MAX_LEB128_BYTES > this.bytes.length) this.bytes = Buffer.concat([this.bytes], 2 * this.bytes.length);
    this.write(offset - this.end);
    this.write(length);
    this.end = offset + length;
  }

  finish(): string {
    return this.bytes.toString('base64', 0, this.used);
  }

  private write(value: number): void {
    // Division, because offsets pass 2^32.
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.used++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.used++] = rest;
  }
}
/** 2^53 in groups of seven bits. */
const MAX_LEB128_BYTES = 8;

/** All ranges of an encapsulated index, in the order of the frames. */
export function decodeFrameRanges(base: number, ranges: string): FrameRange[] {
  return [...walk(base, ranges)];
}

/** Range of frame `frame` (from 0), or undefined where the index cannot tell it or has no such frame. */
export function frameRange(index: FrameIndex, frame: number): FrameRange | undefined {
  if (!Number.isInteger(frame) || frame < 0) return undefined;
  if (index.kind === 'native') return nativeRange(index, frame);
  if (index.kind !== 'encapsulated' || frame >= index.frames) return undefined;
  let at = 0;
  for (const range of walk(index.offset, index.ranges)) if (at++ === frame) return range;
  return undefined;
}

/** Frames of one bit a pixel need not begin on a byte (PS3.5 §8.1.1): the range is the bytes that hold the frame's bits. */
function nativeRange(index: Extract<FrameIndex, { kind: 'native' }>, frame: number): FrameRange | undefined {
  if (frame >= index.frames) return undefined;
  const first = Math.floor((frame * index.frameLengthBits) / 8);
  const end = Math.ceil(((frame + 1) * index.frameLengthBits) / 8);
  return { offset: index.offset + first, length: end - first };
}

function* walk(base: number, text: string): Generator<FrameRange> {
  const bytes = Buffer.from(text, 'base64');
  let at = 0;
  const read = (): number => {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || unit > 2 ** 49) throw new RangeError('The frame index is damaged.');
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
  };
  let end = base;
  while (at < bytes.length) {
    const offset = end + read();
    const length = read();
    end = offset + length;
    yield { offset, length };
  }
}
