// The codecs of @cornerstonejs: CharLS, OpenJPEG and OpenJPH, each compiled to WebAssembly behind the same few classes. A
// library is loaded with the first frame that needs it, once in a thread.
import { createRequire } from 'node:module';
import { CodestreamError } from './codestream-error.js';
import type { FrameCodec } from './frame-codec.js';
import { LibraryMessages } from './library-messages.js';
import type { PixelModule } from './pixel-module.js';
import { nativeToSamples, samplesToNative, type Samples } from './samples.js';

interface FrameInfo {
  width: number;
  height: number;
  bitsPerSample: number;
  componentCount: number;
  isSigned: boolean;
  isUsingColorTransform: boolean;
}
interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): FrameInfo;
  delete(): void;
}
interface Encoder {
  getDecodedBuffer(info: FrameInfo): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
}
type Library = Readonly<Record<string, new () => Decoder & Encoder>>;
type LoadLibrary = (options: { print(line: string): void; printErr(line: string): void }) => Promise<Library>;

export interface EmscriptenCodecOptions<Settings> {
  /** Specifier of the loader of the WebAssembly module. */
  library: string;
  /** Names of the classes. */
  decoder: string;
  encoder: string;
  /** Whether codestreams say that samples are signed. */
  hasSign: boolean;
  /** Makes the encoder lossless. */
  configure(encoder: Settings, module: PixelModule): void;
}

const require = createRequire(import.meta.url);
/** Lines of OpenJPEG and OpenJPH after which samples are made up; most of their warnings are harmless. */
const COMPLAINTS = /\[ERROR\]|ojph error|\[WARNING\].*(truncated|corrupt|too long|check failure)/i;

export function emscriptenCodec<Settings>(options: EmscriptenCodecOptions<Settings>): FrameCodec {
  const messages = new LibraryMessages(COMPLAINTS);
  let loading: Promise<Library> | undefined;
  const load = (): Promise<Library> => (loading ??= (require(options.library) as LoadLibrary)({ print: messages.add, printErr: messages.add }));
  return {
    async decode(bytes, module) {
      const library = await load();
      messages.take();
      const samples = decodeSamples(new library[options.decoder]!(), bytes, messages);
      const expected = module.rows * module.columns * module.samplesPerPixel * (samples.precision <= 8 ? 1 : 2);
      if (samples.bytes.length !== expected) throw new CodestreamError(`The codestream was decoded to ${samples.bytes.length} bytes instead of ${expected}.`);
      return samplesToNative(samples, module);
    },
    async encode(native, module) {
      const library = await load();
      const encoder = new library[options.encoder]!();
      const samples = nativeToSamples(native, module, options.hasSign);
      encoder.getDecodedBuffer(frameInfo(module, samples.precision)).set(samples.bytes);
      options.configure(encoder as Settings, module);
      encoder.encode();
      const encoded = new Uint8Array(encoder.getEncodedBuffer());
      encoder.delete();
      return encoded;
    },
  };
}

/** @throws CodestreamError whatever the library throws: exceptions of C++ come as numbers */
function decodeSamples(decoder: Decoder, bytes: Uint8Array, messages: LibraryMessages): Samples {
  decoder.getEncodedBuffer(bytes.length).set(bytes);
  try {
    decoder.decode();
  } catch (cause) {
    throw new CodestreamError('The codestream cannot be decoded.', { cause });
  }
  const complaint = messages.take();
  if (complaint !== undefined) throw new CodestreamError('The codestream is damaged.', { cause: complaint });
  const samples = { bytes: new Uint8Array(decoder.getDecodedBuffer()), precision: decoder.getFrameInfo().bitsPerSample };
  decoder.delete();
  return samples;
}

const frameInfo = ({ rows, columns, samplesPerPixel, pixelRepresentation, photometricInterpretation }: PixelModule, precision: number): FrameInfo => ({
  width: columns,
  height: rows,
  bitsPerSample: precision,
  componentCount: samplesPerPixel,
  isSigned: pixelRepresentation === 1,
  isUsingColorTransform: photometricInterpretation === 'RGB',
});
