// Between native pixel data, where a sample fills the bits allocated for it, and libraries, which know precision only. Both
// ways together are exact: bits above those stored are kept where they say anything.
import type { PixelModule } from './pixel-module.js';

/** Interleaved samples as libraries take and give them: in one byte up to 8 bits of precision, in two, little endian, above. */
export interface Samples {
  bytes: Uint8Array;
  precision: number;
}

/** Fills the bits allocated: with the sign of signed samples, with zeros otherwise (PS3.5 §8.1.1). 8 or 16 bits allocated. */
export function samplesToNative({ bytes, precision }: Samples, { bitsAllocated, pixelRepresentation }: PixelModule): Uint8Array {
  const native = bitsAllocated === 16 && precision <= 8 ? Uint16Array.from(bytes) : words(bytes, bitsAllocated);
  if (pixelRepresentation === 1 && precision < bitsAllocated) {
    const shift = 32 - precision;
    for (let index = 0; index < native.length; index++) native[index] = (native[index]! << shift) >> shift;
  }
  return octets(native);
}

/**
 * Takes the bits stored alone where the ones above them follow from them, all that are allocated otherwise.
 * @param hasSign the library takes signed samples as they are; else it gets their bits
 */
export function nativeToSamples(bytes: Uint8Array, module: PixelModule, hasSign: boolean): Samples {
  const native = words(bytes, module.bitsAllocated);
  const precision = exactPrecision(native, module);
  // Signed samples of a library have two bytes: no codec of ours that knows signs knows them in one.
  if (module.pixelRepresentation === 1 && hasSign) return { bytes, precision: precision <= 8 ? module.bitsAllocated : precision };
  const mask = 2 ** precision - 1;
  if (precision <= 8) return { bytes: Uint8Array.from(native, (word) => word & mask), precision };
  return { bytes: module.pixelRepresentation === 1 ? octets(Uint16Array.from(native, (word) => word & mask)) : bytes, precision };
}

function exactPrecision(native: Uint8Array | Uint16Array, { bitsAllocated, bitsStored, highBit, pixelRepresentation }: PixelModule): number {
  if (bitsStored === bitsAllocated || highBit !== bitsStored - 1) return bitsAllocated;
  const shift = 32 - bitsStored;
  const unused = 32 - bitsAllocated;
  for (const word of native) {
    const filled = pixelRepresentation === 1 ? (((word << shift) >> shift) << unused) >>> unused : (word << shift) >>> shift;
    if (filled !== word) return bitsAllocated;
  }
  return bitsStored;
}

/** R1 R2 … G1 G2 … becomes R1 G1 B1 R2 … (PS3.3 §C.7.6.3.1.3). A copy. */
export function interleaved(bytes: Uint8Array, { samplesPerPixel, bitsAllocated }: PixelModule): Uint8Array {
  const sampleBytes = bitsAllocated / 8;
  const plane = bytes.length / samplesPerPixel;
  const result = new Uint8Array(bytes.length);
  for (let from = 0, to = 0; from < plane; from += sampleBytes) {
    for (let sample = 0; sample < samplesPerPixel; sample++) {
      for (let byte = 0; byte < sampleBytes; byte++) result[to++] = bytes[sample * plane + from + byte]!;
    }
  }
  return result;
}

const words = (bytes: Uint8Array, bitsAllocated: number): Uint8Array | Uint16Array =>
  bitsAllocated === 16 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes;
const octets = (native: Uint8Array | Uint16Array): Uint8Array => new Uint8Array(native.buffer, native.byteOffset, native.byteLength);
