// JPEG (ITU-T T.81, PS3.5 §8.2.1): baseline, extended with 8 and 12 bits, progressive, lossless up to 16 bits. Decoded only.
import { CodestreamError } from './codestream-error.js';
import type { FrameCodec } from './frame-codec.js';
import { IjgLibrary } from './ijg-library.js';
import { jpegHeader } from './jpeg-header.js';
import type { MemoryCap } from './memory-cap.js';
import { samplesToNative } from './samples.js';

const LOSSLESS_PROCESS = 3;

export function jpegCodec(cap: MemoryCap): FrameCodec {
  let loading: Promise<IjgLibrary> | undefined;
  return {
    async decode(bytes, module) {
      const library = await (loading ??= IjgLibrary.load(cap));
      const header = jpegHeader(bytes);
      // Colour of lossless processes is never converted: that would lose something.
      const toRgb = header.process !== LOSSLESS_PROCESS && header.components === 3 && (header.isYcc || module.photometricInterpretation.startsWith('YBR'));
      const samples = library.decode(bytes, header, toRgb);
      const expected = module.rows * module.columns * module.samplesPerPixel * (header.precision <= 8 ? 1 : 2);
      if (samples.bytes.length !== expected) throw new CodestreamError(`The codestream was decoded to ${samples.bytes.length} bytes instead of ${expected}.`);
      return samplesToNative(samples, module);
    },
  };
}
