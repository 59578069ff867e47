// Finds out, while pixel data passes by, where each frame is (PS3.5 §A.4, §8.2). Keeps one number a fragment, no pixel.
import { type FrameIndex } from '@perennia/contracts';
import { FrameRangeEncoder } from './frame-ranges.js';

/** Fragments whose places are kept; beyond them the index is `ambiguous`. Eight bytes each. */
const MAX_TRACKED_FRAGMENTS = 2 ** 21;
const ITEM_HEADER_BYTES = 8;

// Codestreams whose first bytes cannot occur later in the same codestream: a fragment that has them begins a frame.
const JPEG_START = 0xffd8;
const JPEG2000_START = 0xff4fff51;

type EncapsulatedSource = Extract<FrameIndex, { kind: 'encapsulated' }>['source'];

export class FrameIndexBuilder {
  /** Offsets of the item tags of all fragments after the basic offset table, ascending. */
  private readonly fragments: number[] = [];
  /** Indexes into `fragments` of those that begin with a codestream's first bytes. */
  private readonly starts: number[] = [];
  private fragmentCount = 0;
  private end = 0;
  private basicOffsets: number[] = [];
  private extendedOffsets: number[] = [];
  private sawBasicTable = false;

  /** @param frames number of frames as the dataset says. @param isVideo the fragments together are one stream */
  constructor(private readonly frames: number, private readonly isVideo: boolean) {}

  /** Extended Offset Table (7FE0,0001): 64-bit offsets from the first fragment's item tag. */
  setExtendedOffsets(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at + 8 <= end && this.extendedOffsets.length < MAX_TRACKED_FRAGMENTS; at += 8) {
      this.extendedOffsets.push(bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32);
    }
  }

  setBasicOffsets(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at + 4 <= end && this.basicOffsets.length < MAX_TRACKED_FRAGMENTS; at += 4) this.basicOffsets.push(bytes.readUInt32LE(at));
  }

  /** Tells an item of pixel data; answers whether it is the basic offset table, whose value is wanted. */
  fragment(itemOffset: number, length: number): boolean {
    this.end = itemOffset + ITEM_HEADER_BYTES + length;
    if (!this.sawBasicTable) {
      this.sawBasicTable = true;
      return length > 0 && length <= 4 * MAX_TRACKED_FRAGMENTS;
    }
    if (this.fragmentCount++ < MAX_TRACKED_FRAGMENTS) this.fragments.push(itemOffset);
    return false;
  }

  /** The first bytes of the fragment just told. */
  fragmentHead(head: number): void {
    const isStart = head >>> 16 === JPEG_START || head === JPEG2000_START;
    if (isStart && this.fragmentCount === this.fragments.length && this.fragmentCount > 0) this.starts.push(this.fragmentCount - 1);
  }

  /** The index of encapsulated pixel data once its last fragment has passed. */
  encapsulated(): FrameIndex {
    const { fragments, frames } = this;
    if (fragments.length === 0) return { kind: 'ambiguous', frames, offset: this.end };
    if (this.fragmentCount > fragments.length) return { kind: 'ambiguous', frames, offset: fragments[0]! };
    if (frames === 1 || this.isVideo) return this.ranges('single', [0]);
    const extended = this.match(this.extendedOffsets);
    if (extended) return this.ranges('extended', extended);
    const basic = this.match(this.basicOffsets);
    if (basic) return this.ranges('basic', basic);
    if (fragments.length === frames) return this.ranges('one-to-one', fragments.map((_, i) => i));
    if (this.starts.length === frames && this.starts[0] === 0) return this.ranges('marker', this.starts);
    return { kind: 'ambiguous', frames, offset: fragments[0]! };
  }

  /** Fragment indexes of an offset table that has one entry a frame, each where a fragment begins; else undefined. */
  private match(offsets: readonly number[]): number[] | undefined {
    if (offsets.length !== this.frames || offsets[0] !== 0) return undefined;
    const base = this.fragments[0]!;
    const firsts: number[] = [];
    let at = 0;
    for (const offset of offsets) {
      while (at < this.fragments.length && this.fragments[at]! < base + offset) at++;
      // A table past 4 GiB wraps, and some writers count without item headers: such a table is not believed.
      if (this.fragments[at] !== base + offset || firsts.at(-1) === at) return undefined;
      firsts.push(at);
    }
    return firsts;
  }

  private ranges(source: EncapsulatedSource, firsts: readonly number[]): FrameIndex {
    const offset = this.fragments[0]!;
    const encoder = new FrameRangeEncoder(offset);
    for (let i = 0; i < firsts.length; i++) {
      const begin = this.fragments[firsts[i]!]!;
      encoder.add(begin, (i + 1 < firsts.length ? this.fragments[firsts[i + 1]!]! : this.end) - begin);
    }
    return { kind: 'encapsulated', frames: firsts.length, offset, source, ranges: encoder.finish() };
  }
}

/** What the Image Pixel module says about the size of a frame; 0 where it says nothing. */
export interface PixelDescription {
  rows: number;
  columns: number;
  samplesPerPixel: number;
  bitsAllocated: number;
  photometricInterpretation: string;
}

/** The index of native pixel data: all frames have the same size, one after the other, without gaps (PS3.5 §8.1.1). */
export function nativeFrameIndex(frames: number, offset: number, length: number, pixel: PixelDescription): FrameIndex {
  if (frames <= 1) return { kind: 'native', frames: 1, offset, length, frameLengthBits: singleFrameBits(length, pixel) };
  const frameLengthBits = frameBits(pixel);
  if (frameLengthBits === 0 || frames * frameLengthBits > length * 8) return { kind: 'ambiguous', frames, offset };
  return { kind: 'native', frames, offset, length, frameLengthBits };
}

/** A single frame is all there is, without the padding where the description tells it. */
function singleFrameBits(length: number, pixel: PixelDescription): number {
  const described = frameBits(pixel);
  return described > 0 && described <= length * 8 && length * 8 - described < 16 ? described : length * 8;
}

function frameBits(pixel: PixelDescription): number {
  // YBR 4:2:2 and 4:2:0 share the colour of two and four pixels (PS3.3 §C.7.6.3.1.2).
  const samples = pixel.photometricInterpretation.endsWith('_422') ? 2 : pixel.photometricInterpretation.endsWith('_420') ? 1.5 : pixel.samplesPerPixel;
  const bits = pixel.rows * pixel.columns * samples * pixel.bitsAllocated;
  return Number.isSafeInteger(bits) ? bits : 0;
}
