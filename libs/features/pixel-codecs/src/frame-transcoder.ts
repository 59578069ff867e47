// Decodes and encodes one frame after the other, where it is called: a thread of the pool. What was encoded is decoded again
// and compared, so that no picture that differs leaves.
import { IllegalStateError } from '@perennia/errors';
import type { FrameCodec } from './frame-codec.js';
import { htj2kCodec } from './htj2k-codec.js';
import { jpegCodec } from './jpeg-codec.js';
import { jpegLsCodec } from './jpeg-ls-codec.js';
import { jpeg2000Codec } from './jpeg2000-codec.js';
import type { MemoryCap } from './memory-cap.js';
import { nativeFrame } from './native-codec.js';
import { isBigEndian, type CodecName } from './pixel-encoding.js';
import { rleCodec } from './rle-codec.js';
import { interleaved } from './samples.js';
import type { TranscodePlan } from './transcode-plan.js';

export class FrameTranscoder {
  readonly #codecs: Readonly<Record<Exclude<CodecName, 'native'>, FrameCodec>>;

  constructor(cap: MemoryCap) {
    this.#codecs = { rle: rleCodec, jpeg: jpegCodec(cap), 'jpeg-ls': jpegLsCodec, jpeg2000: jpeg2000Codec, htj2k: htj2kCodec };
  }

  /**
   * @param bytes the frame as it is stored, checked against the plan; its memory may be written to
   * @throws CodestreamError
   */
  async transcode({ source, target, stored, decoded, result }: TranscodePlan, bytes: Uint8Array): Promise<Uint8Array> {
    const native = source.codec === 'native' ? nativeFrame(bytes, stored, isBigEndian(source.uid)) : await this.#codecs[source.codec].decode(bytes, stored);
    if (target.codec === 'native') return native;
    const codec = this.#codecs[target.codec];
    const pixels = decoded.planarConfiguration === 1 ? interleaved(native, decoded) : native;
    const encoded = await codec.encode!(pixels, { ...decoded, planarConfiguration: 0 });
    const again = await codec.decode(encoded, result);
    if (Buffer.compare(again, pixels) !== 0) throw new IllegalStateError(`A frame encoded as ${target.uid} is not decoded to what it was.`);
    return encoded;
  }
}
