// Holds a frame against its transfer syntax and its Image Pixel Module before any decoder sees it: a bomb is refused by what
// its header says, and costs no memory.
import { CodestreamError } from './codestream-error.js';
import type { CodestreamHeader } from './codestream-header.js';
import { jpegHeader } from './jpeg-header.js';
import { jpeg2000Header } from './jpeg2000-header.js';
import type { PixelEncoding } from './pixel-encoding.js';
import { nativeFrameBytes, type PixelModule } from './pixel-module.js';
import { rleSegments } from './rle-segments.js';

const LOSSLESS_PROCESS = 3;
const LOSSY_PROCESSES = [0, 1, 2];
const JPEG_LS = 55;
const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);

/** @throws CodestreamError */
export function checkCodestream({ codec, isLossy }: PixelEncoding, module: PixelModule, bytes: Uint8Array): void {
  switch (codec) {
    case 'native': {
      const expected = nativeFrameBytes(module);
      // One byte more is the padding of a value of odd length.
      if (bytes.length !== expected && bytes.length !== expected + (expected % 2)) throw new CodestreamError(`The frame has ${bytes.length} bytes instead of ${expected}.`);
      return;
    }
    case 'rle':
      rleSegments(bytes, module);
      return;
    case 'jpeg':
    case 'jpeg-ls': {
      const header = jpegHeader(bytes);
      const processes = codec === 'jpeg-ls' ? [JPEG_LS] : isLossy ? LOSSY_PROCESSES : [LOSSLESS_PROCESS];
      // CharLS never comes back from some codestreams that end too early.
      if (codec === 'jpeg-ls' && !hasEndOfImage(bytes)) throw new CodestreamError('The JPEG-LS codestream has no end.');
      if (!processes.includes(header.process)) throw new CodestreamError(`The codestream is of JPEG process SOF${header.process}, which is not that of its transfer syntax.`);
      return assertAgrees(header, module);
    }
    default:
      return assertAgrees(jpeg2000Header(bytes), module);
  }
}

/** Samples cannot contain the marker: the byte behind FF is below 80 in them (T.87 §C.1.1). Padding may follow it. */
function hasEndOfImage(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(END_OF_IMAGE) > 0;
}

function assertAgrees(header: CodestreamHeader, { rows, columns, samplesPerPixel, bitsAllocated }: PixelModule): void {
  const { precision, components } = header;
  if (header.rows === rows && header.columns === columns && components === samplesPerPixel && precision >= 1 && precision <= bitsAllocated) return;
  throw new CodestreamError(
    `The codestream has ${header.rows}×${header.columns} pixels of ${components}×${precision} bits, the instance says ${rows}×${columns} of ${samplesPerPixel}×${bitsAllocated}.`,
  );
}
