// JPEG-LS (ITU-T T.87, PS3.5 §8.2.3) by CharLS. Its codestreams know no sign: samples are bits.
import { emscriptenCodec } from './emscripten-codec.js';

const NONE = 0;
const BY_SAMPLE = 2;

export const jpegLsCodec = emscriptenCodec<{ setNearLossless(near: number): void; setInterleaveMode(mode: number): void }>({
  library: '@cornerstonejs/codec-charls/wasmjs',
  decoder: 'JpegLSDecoder',
  encoder: 'JpegLSEncoder',
  hasSign: false,
  configure(encoder, { samplesPerPixel }) {
    encoder.setNearLossless(0);
    encoder.setInterleaveMode(samplesPerPixel === 1 ? NONE : BY_SAMPLE);
  },
});
