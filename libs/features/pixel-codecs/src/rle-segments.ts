// The header of an RLE frame (PS3.5 §G.5): 16 little endian words, the number of segments and where each begins.
import { CodestreamError } from './codestream-error.js';
import type { PixelModule } from './pixel-module.js';

export const RLE_HEADER_BYTES = 64;

/**
 * The segments as views: first sample first, most significant byte of each sample first (PS3.5 §G.2).
 * @throws CodestreamError where there are not as many as the module has bytes in a pixel, or they do not ascend
 */
export function rleSegments(bytes: Uint8Array, { samplesPerPixel, bitsAllocated }: PixelModule): Uint8Array[] {
  if (bytes.length < RLE_HEADER_BYTES) throw new CodestreamError('The RLE frame ends within its header.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  const expected = (samplesPerPixel * bitsAllocated) / 8;
  if (count !== expected) throw new CodestreamError(`The RLE frame has ${count} segments instead of ${expected}.`);
  const offsets = Array.from({ length: count }, (_, index) => view.getUint32(4 + 4 * index, true));
  const ends = [...offsets.slice(1), bytes.length];
  if (offsets[0] !== RLE_HEADER_BYTES || offsets.some((offset, index) => offset >= ends[index]!)) throw new CodestreamError('The segments of the RLE frame do not follow one another.');
  return offsets.map((offset, index) => bytes.subarray(offset, ends[index]));
}
