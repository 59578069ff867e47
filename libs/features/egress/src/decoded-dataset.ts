// The dataset of an encapsulated object with its pixel data decoded, for who takes no syntax that it is stored in (PS3.5 §8.2, Annex A.4): the header
// as it is but for what decoding changes, then the frames, one after the other. What stands behind the pixel data, signatures of bytes that are no
// longer these, is left out.
import type { DicomJsonDataset } from '@perennia/contracts';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '@perennia/dicom-data';
import { DatasetRewriter, headerToJson } from '@perennia/dicom-stream';
import { LimitExceededError, NotFoundError } from '@perennia/errors';
import type { InstanceDirectory } from './instance-directory.js';
import { orderedWindow } from './ordered-window.js';
import type { ReadFrames } from './read-frames.js';
import type { ReadInstance } from './read-instance.js';
import type { StoredInstance } from './stored-instance.js';

/** How the frames of one object are decoded, known before any of them is read. */
export interface FrameDecoding {
  /** Of each decoded frame. */
  frameBytes: number;
  /** Above 8 the pixel data is OW, else OB (PS3.5 §A.2). */
  bitsAllocated: number;
  photometricInterpretation: string;
  planarConfiguration: 0 | 1;
  decode(frame: Buffer): Promise<Uint8Array>;
}
/** Decodes the pixels of objects: of a library of codecs, which this one does not know. */
export interface PixelDecoder {
  /** Whether frames of the transfer syntax can be decoded at all. */
  decodes(transferSyntaxUid: string): boolean;
  /** @param header the attributes before the pixel data; @throws ArchiveError in words where these pixels cannot be decoded */
  plan(transferSyntaxUid: string, header: DicomJsonDataset): FrameDecoding;
}

const PIXEL_DATA = 0x7fe00010;
const PHOTOMETRIC_INTERPRETATION = 0x00280004;
const PLANAR_CONFIGURATION = 0x00280006;
const MAX_PIXEL_DATA_BYTES = 0xfffffffe;
/** Frames decoded ahead of who takes them. */
const WINDOW = 3;

export interface DecodedDatasetParts {
  directory: InstanceDirectory;
  readInstance: ReadInstance;
  readFrames: ReadFrames;
  decoder: PixelDecoder;
}

export class DecodedDataset {
  constructor(private readonly parts: DecodedDatasetParts) {}

  /** @param wanted explicit or implicit VR little endian; @throws ArchiveError before anything is given, or while frames are decoded */
  async *stream(instance: StoredInstance, tenantId: string, wanted: string): AsyncGenerator<Buffer, void, void> {
    const { directory, readInstance, readFrames, decoder } = this.parts;
    const framed = await directory.framed({ tenantId, ...uidsOf(instance) });
    if (!framed || framed.frameIndex.kind === 'none') throw new NotFoundError('The instance has no pixel data to decode.');
    const { frames } = framed.frameIndex;
    const header = await readInstance.read(framed, framed.datasetOffset, framed.headerLength - framed.datasetOffset);
    const decoding = decoder.plan(framed.transferSyntaxUid, headerToJson(header, framed.transferSyntaxUid, { bulkDataUri: () => '', inlineLimitBytes: 1024 }));
    const length = evenLength(frames * decoding.frameBytes);
    if (length > MAX_PIXEL_DATA_BYTES) throw new LimitExceededError('The decoded pixel data would have more than 4 GiB.', { remedy: 'Retrieve it as it is stored.' });
    const encoded = await readFrames.frames(framed, Array.from({ length: frames }, (_, index) => index + 1));
    const decoded = orderedWindow(encoded, WINDOW, async (fragments) => decoding.decode(Buffer.concat(fragments)));
    // What cannot be decoded mostly shows at once: before anything is given, so that the object fails alone.
    let next = await decoded.next();
    yield Buffer.concat([rewrittenHeader(header, decoding, wanted), pixelDataHeader(decoding, wanted, length)]);
    for (; !next.done; next = await decoded.next()) yield Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    if ((frames * decoding.frameBytes) % 2 === 1) yield Buffer.alloc(1);
  }
}

const uidsOf = ({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: StoredInstance) => ({ studyInstanceUid, seriesInstanceUid, sopInstanceUid });

const evenLength = (bytes: number): number => bytes + (bytes % 2);

function rewrittenHeader(header: Buffer, { photometricInterpretation, planarConfiguration }: FrameDecoding, wanted: string): Buffer {
  const planar = Buffer.alloc(2);
  planar.writeUInt16LE(planarConfiguration);
  const text = Buffer.from(photometricInterpretation.length % 2 === 0 ? photometricInterpretation : `${photometricInterpretation} `);
  return new DatasetRewriter(EXPLICIT_VR_LITTLE_ENDIAN, wanted, new Map([[PHOTOMETRIC_INTERPRETATION, text], [PLANAR_CONFIGURATION, planar]])).push(header);
}

function pixelDataHeader({ bitsAllocated }: FrameDecoding, wanted: string, length: number): Buffer {
  const isExplicit = wanted === EXPLICIT_VR_LITTLE_ENDIAN;
  const header = Buffer.alloc(isExplicit ? 12 : 8);
  header.writeUInt16LE(PIXEL_DATA >>> 16, 0);
  header.writeUInt16LE(PIXEL_DATA & 0xffff, 2);
  if (isExplicit) header.write(bitsAllocated > 8 ? 'OW' : 'OB', 4, 'latin1');
  header.writeUInt32LE(length, header.length - 4);
  return header;
}
