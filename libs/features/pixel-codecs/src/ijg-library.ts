// The JPEG library of the Independent JPEG Group, in its three builds for 8, 12 and 16 bits, with lossless processes: inside of
// the WebAssembly module of dcmjs-codecs, which is used without the JavaScript around it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { CodestreamError } from './codestream-error.js';
import type { JpegHeader } from './jpeg-header.js';
import { LibraryMessages } from './library-messages.js';
import type { MemoryCap } from './memory-cap.js';
import type { Samples } from './samples.js';

/** Functions of C; contexts and parameters are addresses, booleans numbers. */
type Exports = Readonly<Record<string, (...values: number[]) => number>> & { memory: WebAssembly.Memory };

/** Lines of the library (jerror.h) after which samples are made up. It speaks of much that is harmless. */
const COMPLAINTS = /premature end|bad Huffman code|Corrupt JPEG data: (?!\d+ extraneous)|Inconsistent progression/i;
const WASM = 'dcmjs-codecs/build/dcmjs-native-codecs.wasm';
const none = (): number => 0;

export class IjgLibrary {
  private constructor(
    private readonly exports: Exports,
    private readonly messages: LibraryMessages,
  ) {}

  static async load(cap: MemoryCap): Promise<IjgLibrary> {
    const messages = new LibraryMessages(COMPLAINTS);
    const text = (at: number, length: number): string => Buffer.from(exports.memory.buffer, at, length).toString('latin1');
    const imports = {
      env: {
        onCodecsException: (at: number, length: number) => {
          throw new CodestreamError('The codestream cannot be decoded.', { cause: text(at, length) });
        },
        onCodecsInfo: (at: number, length: number) => messages.add(text(at, length)),
        onCodecsTrace: none,
        emscripten_notify_memory_growth: () => cap.check(exports.memory.buffer.byteLength),
      },
      // No clock, no environment, no files: what is asked for is nothing, and written to nowhere.
      wasi_snapshot_preview1: {
        proc_exit: () => {
          throw new CodestreamError('The decoder gave up.');
        },
        environ_sizes_get: (count: number, size: number) => {
          const view = new DataView(exports.memory.buffer);
          view.setUint32(count, 0, true);
          view.setUint32(size, 0, true);
          return 0;
        },
        environ_get: none, clock_time_get: none, fd_write: none, fd_close: none, fd_seek: none,
      },
    };
    const module = await readFile(createRequire(import.meta.url).resolve(WASM));
    const { instance } = await WebAssembly.instantiate(module, imports);
    const exports = instance.exports as Exports;
    exports['_initialize']!();
    return new IjgLibrary(exports, messages);
  }

  /**
   * @param toRgb three components become R, G and B, by what the codestream says of its colours
   * @throws CodestreamError
   */
  decode(bytes: Uint8Array, { rows, columns, components, precision }: JpegHeader, toRgb: boolean): Samples {
    const call = (name: string, ...values: number[]): number => this.exports[name]!(...values);
    this.messages.take();
    const context = call('CreateCodecsContext');
    call('SetColumns', context, columns);
    call('SetRows', context, rows);
    call('SetBitsAllocated', context, precision <= 8 ? 8 : 16);
    call('SetBitsStored', context, precision);
    call('SetSamplesPerPixel', context, components);
    call('SetEncodedBufferSize', context, bytes.length);
    this.#memory(call('GetEncodedBuffer', context), bytes.length).set(bytes);
    const parameters = call('CreateDecoderParameters');
    call('SetConvertColorspaceToRgb', parameters, toRgb ? 1 : 0);
    call('DecodeJpeg', context, parameters);
    call('ReleaseDecoderParameters', parameters);
    const samples = { bytes: new Uint8Array(this.#memory(call('GetDecodedBuffer', context), call('GetDecodedBufferSize', context))), precision };
    call('ReleaseCodecsContext', context);
    const complaint = this.messages.take();
    if (complaint !== undefined) throw new CodestreamError('The codestream is damaged.', { cause: complaint });
    return samples;
  }

  #memory(at: number, length: number): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, at, length);
  }
}
