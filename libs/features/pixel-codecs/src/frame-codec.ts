// What a codec of ours does, inside of a thread. Native frames are little endian and, with several samples, R1 G1 B1 ….
import type { PixelModule } from './pixel-module.js';

export interface FrameCodec {
  /**
   * @param bytes an encoded frame whose header agrees with the module
   * @returns the native frame, of the length that the module says
   * @throws CodestreamError where the bytes cannot be decoded
   */
  decode(bytes: Uint8Array, module: PixelModule): Uint8Array | Promise<Uint8Array>;
  /** Lossless. Absent where nothing is encoded by this codec. */
  encode?(native: Uint8Array, module: PixelModule): Uint8Array | Promise<Uint8Array>;
}
