// The frames of a file and what its header says of their pixels, by the kernel: of corpus files, and of what other toolkits
// made of them.
import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxOf } from '@perennia/dicom-data';
import { decodeFrameRanges, HeaderTap, headerToJson, locateBulkData, Part10Reader } from '@perennia/dicom-stream';
import { nativeFrameBytes, pixelModuleOf, type PixelModule } from '@perennia/pixel-codecs';
import { inflateRawSync } from 'node:zlib';

export interface PixelFrames {
  transferSyntaxUid: string;
  module: PixelModule;
  /** Encoded ones with their fragments joined. Empty where frames cannot be told apart. */
  frames: Buffer[];
}

/** Undefined where the file has no Pixel Data. */
export async function pixelFrames(file: Buffer): Promise<PixelFrames | undefined> {
  const part10 = new Part10Reader();
  const rest = part10.push(file);
  const stored = Buffer.from(part10.header === undefined ? part10.end() : rest);
  const transferSyntaxUid = part10.header!.transferSyntaxUid;
  const { deflated } = transferSyntaxOf(transferSyntaxUid);
  const dataset = deflated ? inflateRawSync(stored) : stored;
  const syntax = deflated ? EXPLICIT_VR_LITTLE_ENDIAN : transferSyntaxUid;
  const place = locateBulkData(dataset, syntax, '7FE00010');
  if (place === undefined) return undefined;
  const json = headerToJson(dataset, syntax, { bulkDataUri: (tag) => tag, inlineLimitBytes: 1024 });
  const module = pixelModuleOf(json);
  if (place.isEncapsulated) return { transferSyntaxUid, module, frames: await encapsulated(dataset, syntax) };
  const count = Number(json['00280008']?.Value?.[0] ?? 1);
  // In words of big endian the padding comes before the last byte.
  const length = count === 1 && place.bigEndian ? place.length : nativeFrameBytes(module);
  const frames = Array.from({ length: count }, (_, frame) => dataset.subarray(place.offset + frame * length, place.offset + Math.min((frame + 1) * length, place.length)));
  return { transferSyntaxUid, module, frames };
}

async function encapsulated(dataset: Buffer, transferSyntaxUid: string): Promise<Buffer[]> {
  const tap = new HeaderTap({ transferSyntaxUid, datasetOffset: 0 });
  await tap.push(dataset);
  const { frameIndex } = await tap.end();
  if (frameIndex.kind !== 'encapsulated') return [];
  return decodeFrameRanges(frameIndex.offset, frameIndex.ranges).map(({ offset, length }) => joinItems(dataset.subarray(offset, offset + length)));
}

/** The values of the items in a range, without their headers. */
function joinItems(range: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= range.length; ) {
    const length = range.readUInt32LE(at + 4);
    parts.push(range.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts);
}
