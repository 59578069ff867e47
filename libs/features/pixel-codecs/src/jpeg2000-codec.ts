// JPEG 2000 Part 1 (ITU-T T.800, PS3.5 §8.2.4) by OpenJPEG.
import { emscriptenCodec } from './emscripten-codec.js';

const ONE_LAYER = 1;

export const jpeg2000Codec = emscriptenCodec<{ setQuality(lossless: boolean, layers: number): void; setDecompositions(levels: number): void }>({
  library: '@cornerstonejs/codec-openjpeg/wasmjs',
  decoder: 'J2KDecoder',
  encoder: 'J2KEncoder',
  hasSign: true,
  configure(encoder, { rows, columns }) {
    encoder.setQuality(true, ONE_LAYER);
    encoder.setDecompositions(decompositionLevels(rows, columns));
  },
});

/** As many as the image has halves, at most the usual five. */
export const decompositionLevels = (rows: number, columns: number): number => Math.min(5, Math.floor(Math.log2(Math.min(rows, columns))));
