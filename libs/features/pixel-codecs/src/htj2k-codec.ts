// High-Throughput JPEG 2000 (ITU-T T.814, PS3.5 §8.2.4) by OpenJPH.
import { emscriptenCodec } from './emscripten-codec.js';
import { decompositionLevels } from './jpeg2000-codec.js';

export const htj2kCodec = emscriptenCodec<{ setQuality(lossless: boolean, quantizationStep: number): void; setDecompositions(levels: number): void }>({
  library: '@cornerstonejs/codec-openjph/wasmjs',
  decoder: 'HTJ2KDecoder',
  encoder: 'HTJ2KEncoder',
  hasSign: true,
  configure(encoder, { rows, columns }) {
    encoder.setQuality(true, 0);
    // Without any decomposition this build of OpenJPH encodes the first sample wrong.
    encoder.setDecompositions(Math.max(1, decompositionLevels(rows, columns)));
  },
});
