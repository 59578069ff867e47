// The main header of JPEG 2000 and High-Throughput JPEG 2000 codestreams (ITU-T T.800 §A.5.1), and whether all tile-parts are
// there: decoders take what is missing for zeros, and a picture with a grey half is worse than none.
import { CodestreamError } from './codestream-error.js';
import type { CodestreamHeader } from './codestream-header.js';

const START_OF_CODESTREAM = 0xff4f;
const SIZE = 0xff51;
const START_OF_TILE_PART = 0xff90;
const END_OF_CODESTREAM = 0xffd9;
const SIGNATURE_BOX = 'jP  ';
const CODESTREAM_BOX = 'jp2c';

/** @throws CodestreamError where the bytes are no JPEG 2000, subsampled, offset, or end before their last tile-part does */
export function jpeg2000Header(bytes: Uint8Array): CodestreamHeader {
  const stream = codestreamOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (stream.length < 42 || stream.readUInt16BE(0) !== START_OF_CODESTREAM || stream.readUInt16BE(2) !== SIZE) throw new CodestreamError('The frame does not begin as a JPEG 2000 codestream.');
  const [columns, rows, offsetX, offsetY] = [8, 12, 16, 20].map((at) => stream.readUInt32BE(at)) as [number, number, number, number];
  const components = stream.readUInt16BE(40);
  const perComponent = stream.subarray(42, 42 + 3 * components);
  if (components === 0 || perComponent.length < 3 * components) throw new CodestreamError('The JPEG 2000 codestream ends within its header.');
  if (offsetX !== 0 || offsetY !== 0) throw new CodestreamError('The JPEG 2000 image does not begin at the origin of its grid.');
  for (let at = 0; at < perComponent.length; at += 3) {
    if (perComponent[at] !== perComponent[0]) throw new CodestreamError('The components of the JPEG 2000 codestream differ in their bits.');
    if (perComponent[at + 1] !== 1 || perComponent[at + 2] !== 1) throw new CodestreamError('The components of the JPEG 2000 codestream are subsampled.');
  }
  assertComplete(stream);
  return { rows, columns, components, precision: (perComponent[0]! & 0x7f) + 1 };
}

/** Some writers wrap the codestream in a JP2 file, which PS3.5 §A.4.4 does not allow. */
function codestreamOf(bytes: Buffer): Buffer {
  if (bytes.toString('latin1', 4, 8) !== SIGNATURE_BOX) return bytes;
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === CODESTREAM_BOX) return bytes.subarray(at + (length === 1 ? 16 : 8));
    if (length < 8) break;
    at += length;
  }
  throw new CodestreamError('The JP2 file has no codestream.');
}

/** Walks over the tile-parts by their lengths (T.800 §A.4.2); a length of 0 is all up to the end. */
function assertComplete(stream: Buffer): void {
  let at = 2;
  let marker = stream.readUInt16BE(at);
  while (marker !== START_OF_TILE_PART) {
    if (at + 4 > stream.length || marker < 0xff00) throw new CodestreamError('The JPEG 2000 codestream has no tiles.');
    at += 2 + stream.readUInt16BE(at + 2);
    marker = at + 2 <= stream.length ? stream.readUInt16BE(at) : 0;
  }
  while (marker === START_OF_TILE_PART) {
    const length = at + 12 <= stream.length ? stream.readUInt32BE(at + 6) : 12;
    if (length === 0) return;
    if (length < 12 || at + length > stream.length) throw new CodestreamError('The JPEG 2000 codestream ends within a tile-part.');
    at += length;
    marker = at + 2 <= stream.length ? stream.readUInt16BE(at) : END_OF_CODESTREAM;
  }
}
