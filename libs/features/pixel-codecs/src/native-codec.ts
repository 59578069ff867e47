// Native pixel data (PS3.5 §8.1.1) as little endian bytes without padding.
import { CodestreamError } from './codestream-error.js';
import { nativeFrameBytes, type PixelModule } from './pixel-module.js';

/**
 * @param bytes a whole frame, with its padding if there is one
 * @param bigEndian words of the bits allocated, or of OW, are turned, in place
 * @throws CodestreamError where the frame ends within such a word
 */
export function nativeFrame(bytes: Uint8Array, module: PixelModule, bigEndian: boolean): Uint8Array {
  if (bigEndian) turnWords(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), module);
  return bytes.subarray(0, nativeFrameBytes(module));
}

function turnWords(bytes: Buffer, { bitsAllocated, pixelDataVr }: PixelModule): void {
  const wordBits = bitsAllocated > 8 ? bitsAllocated : pixelDataVr === 'OW' ? 16 : 8;
  if ((bytes.length * 8) % wordBits !== 0) throw new CodestreamError('The frame does not end with a word of its big endian pixel data.');
  if (wordBits === 16) bytes.swap16();
  if (wordBits === 32) bytes.swap32();
  if (wordBits === 64) bytes.swap64();
}
