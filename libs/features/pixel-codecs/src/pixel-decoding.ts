// Decodes the frames of objects by what their headers say, for whoever gives objects out decoded.
import type { DicomJsonDataset } from '@perennia/contracts';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '@perennia/dicom-data';
import type { CodecPool } from './codec-pool.js';
import { pixelEncodingOf } from './pixel-encoding.js';
import { nativeFrameBytes, pixelModuleOf } from './pixel-module.js';
import { planTranscode } from './transcode-plan.js';

/** What is known before any frame is read. */
export interface DecodingPlan {
  frameBytes: number;
  bitsAllocated: number;
  photometricInterpretation: string;
  planarConfiguration: 0 | 1;
  /** @throws CodestreamError, CodecTimeoutError, LimitExceededError, CancelledError, UnavailableError */
  decode(frame: Buffer): Promise<Uint8Array>;
}

export class PixelDecoding {
  constructor(private readonly pool: CodecPool) {}

  decodes(transferSyntaxUid: string): boolean {
    return pixelEncodingOf(transferSyntaxUid) !== undefined;
  }

  /** @throws UnsupportedTransferSyntaxError; InvalidInputError where the header lacks what decoding needs */
  plan(transferSyntaxUid: string, header: DicomJsonDataset): DecodingPlan {
    const module = pixelModuleOf(header);
    const { result } = planTranscode(transferSyntaxUid, EXPLICIT_VR_LITTLE_ENDIAN, module);
    const { bitsAllocated, photometricInterpretation, planarConfiguration } = result;
    return {
      frameBytes: nativeFrameBytes(result), bitsAllocated, photometricInterpretation, planarConfiguration,
      decode: async (frame) => (await this.pool.decodeFrame(transferSyntaxUid, module, frame)).bytes,
    };
  }
}
