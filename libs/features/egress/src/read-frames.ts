// Single frames, each by one range read where the frame index allows (architecture §8). Deflated objects are inflated whole,
// up to a limit; where fragments and frames cannot be matched without decoding, there is the bulk data instead.
import type { FrameIndex } from '@perennia/contracts';
import { decodeFrameRanges, locateBulkData, transferSyntaxOf, type FrameRange } from '@perennia/dicom-stream';
import { LimitExceededError, NotFoundError } from '@perennia/errors';
import { bitsFrom, fragmentsOf, toLittleEndian } from './frame-bytes.js';
import { FramesNotSeparableError } from './frames-not-separable-error.js';
import { inflateDataset } from './inflate-dataset.js';
import { orderedWindow } from './ordered-window.js';
import type { ReadInstance } from './read-instance.js';
import type { FramedInstance } from './stored-instance.js';

type Native = Extract<FrameIndex, { kind: 'native' }>;
type ReadFrame = (frame: number) => Promise<Buffer[]>;

const WINDOW = 4;
const MAX_FRAME_BYTES = 256 * 1024 * 1024;
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const PIXEL_DATA_TAGS = ['7FE00010', '7FE00008', '7FE00009'];

export class ReadFrames {
  constructor(private readonly readInstance: ReadInstance) {}

  /**
   * Frames by number from 1, in the order asked for, each as the buffers of its bytes.
   * @throws NotFoundError when there is no such frame; FramesNotSeparableError
   */
  async frames(instance: FramedInstance, numbers: readonly number[]): Promise<AsyncGenerator<Buffer[], void, void>> {
    const { frames } = instance.frameIndex.kind === 'none' ? { frames: 0 } : instance.frameIndex;
    const missing = numbers.find((number) => number < 1 || number > frames);
    if (missing !== undefined) throw new NotFoundError(`The instance has ${frames} frames; there is no frame ${missing}.`);
    await this.readInstance.proveIfQuick(instance);
    const read = await this.#readerOf(instance);
    return orderedWindow(numbers, WINDOW, (number) => read(number - 1));
  }

  async #readerOf(instance: FramedInstance): Promise<ReadFrame> {
    const { frameIndex } = instance;
    switch (frameIndex.kind) {
      case 'native':
        return async (frame) => [await this.#native(instance, frameIndex, frame)];
      case 'encapsulated': {
        const ranges = decodeFrameRanges(frameIndex.offset, frameIndex.ranges);
        // Video: one stream for all frames.
        if (ranges.length !== frameIndex.frames) throw notSeparable();
        return async (frame) => fragmentsOf(await this.#range(instance, ranges[frame]!));
      }
      case 'sequential':
        return this.#inflated(instance, frameIndex.frames);
      default:
        throw notSeparable();
    }
  }

  async #native(instance: FramedInstance, { offset, frameLengthBits }: Native, frame: number): Promise<Buffer> {
    const firstBit = frame * frameLengthBits;
    const firstByte = Math.floor(firstBit / 8);
    const endByte = Math.ceil((firstBit + frameLengthBits) / 8);
    const bytes = await this.#range(instance, { offset: offset + firstByte, length: endByte - firstByte });
    return this.#plain(instance, frameLengthBits % 8 === 0 ? bytes : bitsFrom(bytes, firstBit % 8, frameLengthBits));
  }

  #range(instance: FramedInstance, { offset, length }: FrameRange): Promise<Buffer> {
    if (length > MAX_FRAME_BYTES) throw new LimitExceededError(`A frame of this instance has more than ${MAX_FRAME_BYTES} bytes`, { remedy: 'Retrieve its pixel data by the BulkDataURI.' });
    return this.readInstance.read(instance, offset, length);
  }

  #plain({ transferSyntaxUid, bitsAllocated }: FramedInstance, bytes: Buffer): Buffer {
    const { bigEndian } = transferSyntaxOf(transferSyntaxUid);
    return bigEndian && (bitsAllocated ?? 8) > 8 ? toLittleEndian(bytes, bitsAllocated! / 8) : bytes;
  }

  async #inflated(instance: FramedInstance, frames: number): Promise<ReadFrame> {
    const dataset = await inflateDataset(this.readInstance, instance);
    for (const tag of PIXEL_DATA_TAGS) {
      const place = locateBulkData(dataset, EXPLICIT_LITTLE_ENDIAN, tag);
      if (!place) continue;
      const bits = Math.floor((place.length * 8) / frames);
      const exact = frames === 1 || bits % 8 === 0;
      return async (frame) => {
        const bytes = dataset.subarray(place.offset, place.offset + place.length);
        return [exact ? bytes.subarray((frame * bits) / 8, ((frame + 1) * bits) / 8) : bitsFrom(bytes, frame * bits, bits)];
      };
    }
    throw new NotFoundError('The instance has no pixel data.');
  }
}

function notSeparable(): FramesNotSeparableError {
  return new FramesNotSeparableError('The frames of this instance cannot be told apart without decoding its pixel data.', {
    remedy: 'Retrieve the instance, or its pixel data by the BulkDataURI.',
  });
}
