// RLE Lossless (PS3.5 Annex G): a PackBits stream for each byte of the pixels. Ours, because it is small and reaches every
// number of bits allocated, which other encoders do not.
import { CodestreamError } from './codestream-error.js';
import type { FrameCodec } from './frame-codec.js';
import { nativeFrameBytes, type PixelModule } from './pixel-module.js';
import { RLE_HEADER_BYTES, rleSegments } from './rle-segments.js';

/** Runs and literals have at most so many bytes (PS3.5 §G.3.1). */
const LONGEST = 128;
const NO_OPERATION = -128;

export const rleCodec: FrameCodec = {
  decode(bytes, module) {
    const pixelBytes = (module.samplesPerPixel * module.bitsAllocated) / 8;
    const native = new Uint8Array(nativeFrameBytes({ ...module, photometricInterpretation: '' }));
    rleSegments(bytes, module).forEach((segment, index) => unpack(segment, native, byteInPixel(index, module), pixelBytes));
    return native;
  },

  encode(native, module) {
    const pixelBytes = (module.samplesPerPixel * module.bitsAllocated) / 8;
    const rowBytes = module.columns * pixelBytes;
    const segments = Array.from({ length: pixelBytes }, (_, index) => packRows(native, byteInPixel(index, module), pixelBytes, rowBytes));
    const header = Buffer.alloc(RLE_HEADER_BYTES);
    header.writeUInt32LE(segments.length, 0);
    let offset = RLE_HEADER_BYTES;
    segments.forEach((segment, index) => {
      header.writeUInt32LE(offset, 4 + 4 * index);
      offset += segment.length;
    });
    return Buffer.concat([header, ...segments], offset);
  },
};

/** Where the bytes of a segment stand in an interleaved little endian pixel. */
function byteInPixel(segment: number, { bitsAllocated }: PixelModule): number {
  const sampleBytes = bitsAllocated / 8;
  const sample = Math.floor(segment / sampleBytes);
  return sample * sampleBytes + (sampleBytes - 1 - (segment % sampleBytes));
}

/** PS3.5 §G.3.2. What is behind the last pixel is padding. */
function unpack(segment: Uint8Array, into: Uint8Array, first: number, step: number): void {
  let to = first;
  let at = 0;
  while (to < into.length) {
    if (at + 1 >= segment.length) throw new CodestreamError('A segment of the RLE frame ends before its last pixel.');
    const control = (segment[at++]! << 24) >> 24;
    if (control === NO_OPERATION) continue;
    const isRun = control < 0;
    const count = isRun ? 1 - control : 1 + control;
    if (to + (count - 1) * step >= into.length || (!isRun && at + count > segment.length)) throw new CodestreamError('A segment of the RLE frame is longer than its pixels.');
    for (let index = 0; index < count; index++, to += step) into[to] = segment[isRun ? at : at + index]!;
    at += isRun ? 1 : count;
  }
}

/** PS3.5 §G.3.1: runs end with the row; a segment has an even length. */
function packRows(native: Uint8Array, first: number, step: number, rowBytes: number): Buffer {
  const columns = rowBytes / step;
  const rows = native.length / rowBytes;
  const row = new Uint8Array(columns);
  const packed = Buffer.alloc(rows * (columns + Math.ceil(columns / LONGEST)) + 1);
  let length = 0;
  for (let at = first; at < native.length; at += rowBytes) {
    for (let column = 0; column < columns; column++) row[column] = native[at + column * step]!;
    length = packRow(row, packed, length);
  }
  return packed.subarray(0, length + (length % 2));
}

function packRow(row: Uint8Array, packed: Uint8Array, length: number): number {
  let to = length;
  for (let at = 0; at < row.length; ) {
    const run = runAt(row, at);
    if (run > 1) {
      packed[to++] = 1 - run;
      packed[to++] = row[at]!;
      at += run;
      continue;
    }
    const begin = at;
    // A run of two is worth ending a literal only where it does not begin another one: three are.
    while (at < row.length && at - begin < LONGEST && runAt(row, at) < 3) at++;
    packed[to++] = at - begin - 1;
    packed.set(row.subarray(begin, at), to);
    to += at - begin;
  }
  return to;
}

function runAt(row: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < row.length && end - at < LONGEST && row[end] === row[at]) end++;
  return end - at;
}
