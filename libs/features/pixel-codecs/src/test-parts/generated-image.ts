// Images made by code: smooth with noise, as pictures are, and with the extremes that their bits allow.
import type { PixelModule } from '../pixel-module.js';

/** Deterministic, 0 to 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const grey = (bitsAllocated: number, bitsStored: number, pixelRepresentation: 0 | 1, size: { rows: number; columns: number } = { rows: 67, columns: 93 }): PixelModule => ({
  ...size, samplesPerPixel: 1, bitsAllocated, bitsStored, highBit: bitsStored - 1, pixelRepresentation, planarConfiguration: 0, photometricInterpretation: 'MONOCHROME2',
});
export const colour = (bitsAllocated: number, planarConfiguration: 0 | 1, photometricInterpretation = 'RGB'): PixelModule => ({
  rows: 41, columns: 55, samplesPerPixel: 3, bitsAllocated, bitsStored: bitsAllocated, highBit: bitsAllocated - 1, pixelRepresentation: 0, planarConfiguration, photometricInterpretation,
});

/** A native frame of the module: little endian, signed samples with their sign in the unused bits. */
export function generatedImage(module: PixelModule, seed = 1): Buffer {
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation } = module;
  const random = randomNumbers(seed);
  const range = 2 ** bitsStored;
  const lowest = pixelRepresentation === 1 ? -range / 2 : 0;
  const count = rows * columns * samplesPerPixel;
  const sampleBytes = bitsAllocated / 8;
  const frame = Buffer.alloc(count * sampleBytes);
  for (let index = 0; index < count; index++) {
    const pixel = Math.floor(index / samplesPerPixel);
    const wave = 0.5 + 0.45 * Math.sin((pixel % columns) / 17 + (index % samplesPerPixel)) * Math.cos(pixel / columns / 23);
    const value = index === 0 ? 0 : index === 1 ? range - 1 : Math.min(range - 1, Math.max(0, Math.floor(range * wave + 12 * random())));
    const bits = BigInt.asUintN(bitsAllocated, BigInt(value + lowest));
    for (let byte = 0; byte < sampleBytes; byte++) frame[index * sampleBytes + byte] = Number((bits >> BigInt(8 * byte)) & 0xffn);
  }
  return frame;
}
