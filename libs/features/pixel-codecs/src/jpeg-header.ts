// The frame header of JPEG and JPEG-LS codestreams (ITU-T T.81 §B.2.2, T.87 §C.2.2), and what markers say about colour. Reads
// markers up to the first scan, nothing else.
import { CodestreamError } from './codestream-error.js';
import type { CodestreamHeader } from './codestream-header.js';

export interface JpegHeader extends CodestreamHeader {
  /** The n of SOFn: 0 baseline, 1 extended, 2 progressive, 3 lossless, 55 JPEG-LS. */
  process: number;
  /** There is a JFIF segment, or an Adobe segment that says so: three components are Y, CB and CR, whatever the dataset says. */
  isYcc: boolean;
}

const START_OF_IMAGE = 0xd8;
const START_OF_SCAN = 0xda;
const JPEG_LS_FRAME = 0xf7;
const APP0 = 0xe0;
const APP14 = 0xee;
/** Markers between SOF0 and SOF15 that begin no frame: DHT, JPG, DAC. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];

/** @throws CodestreamError where the bytes are no JPEG, or end before the frame header */
export function jpegHeader(bytes: Uint8Array): JpegHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 4 || view[0] !== 0xff || view[1] !== START_OF_IMAGE) throw new CodestreamError('The frame does not begin as a JPEG codestream.');
  let isYcc = false;
  for (let at = 2; at + 4 <= view.length; ) {
    if (view[at] !== 0xff) throw new CodestreamError('The JPEG codestream has no marker where one must be.');
    const marker = view[at + 1]!;
    // Fill bytes may precede a marker (T.81 §B.1.1.2).
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = view.readUInt16BE(at + 2);
    const segment = view.subarray(at + 4, at + 2 + length);
    if (marker === START_OF_SCAN || length < 2) break;
    isYcc ||= (marker === APP0 && segment.toString('latin1', 0, 4) === 'JFIF') || (marker === APP14 && segment.toString('latin1', 0, 5) === 'Adobe' && segment[11] === 1);
    if (isFrame(marker) && segment.length >= 6) return { ...frameHeader(segment), process: marker === JPEG_LS_FRAME ? 55 : marker - 0xc0, isYcc };
    at += 2 + length;
  }
  throw new CodestreamError('The JPEG codestream has no frame header.');
}

const isFrame = (marker: number): boolean => marker === JPEG_LS_FRAME || (marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker));

const frameHeader = (segment: Buffer): CodestreamHeader => ({
  precision: segment[0]!,
  rows: segment.readUInt16BE(1),
  columns: segment.readUInt16BE(3),
  components: segment[5]!,
});
