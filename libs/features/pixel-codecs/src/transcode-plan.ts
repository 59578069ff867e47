// Whether and how a frame gets from one transfer syntax to another. Pure: what is promised here is known before any byte of a
// frame is read, so that the header of an object can be written before its first frame is decoded.
import { UnsupportedTransferSyntaxError } from './unsupported-transfer-syntax-error.js';
import { decodedModule, encodedModule, ENCODED_TRANSFER_SYNTAXES, isBigEndian, pixelEncodingOf, type PixelEncoding } from './pixel-encoding.js';
import { assertConsistent, type PixelModule } from './pixel-module.js';

export interface TranscodePlan {
  source: PixelEncoding;
  target: PixelEncoding;
  /** The module of the frame as it is stored. */
  stored: PixelModule;
  /** The module of the frame between decoding and encoding. */
  decoded: PixelModule;
  /** The module of the result: what the header has to say. Only photometric interpretation and planar configuration may differ. */
  result: PixelModule;
  /** Neither decoded nor encoded: the bytes stay. */
  isIdentity: boolean;
}

/**
 * @param from UID of the transfer syntax in which the frame is stored
 * @param to UID of the one asked for
 * @throws UnsupportedTransferSyntaxError with what can be had instead; InvalidInputError where the module contradicts itself
 */
export function planTranscode(from: string, to: string, module: PixelModule): TranscodePlan {
  assertConsistent(module);
  const plan = tryPlan(from, to, module);
  if (typeof plan !== 'string') return plan;
  const alternatives = [from, ...ENCODED_TRANSFER_SYNTAXES.filter((uid) => uid !== from && typeof tryPlan(from, uid, module) !== 'string')];
  throw new UnsupportedTransferSyntaxError(`Pixels stored as ${from} cannot be given as ${to}: ${plan}.`, alternatives, {
    details: { from, to },
    remedy: 'Ask for another transfer syntax, or for the one in which the object is stored.',
  });
}

/** The plan, or why there is none. */
function tryPlan(from: string, to: string, stored: PixelModule): TranscodePlan | string {
  const source = pixelEncodingOf(from);
  const target = pixelEncodingOf(to);
  if (source === undefined) return 'the stored one cannot be decoded';
  if (target === undefined) return 'that one is not offered';
  const isIdentity = from === to || (source.codec === 'native' && target.codec === 'native' && !isBigEndian(from) && !isBigEndian(to));
  if (isIdentity) return { source, target, stored, decoded: stored, result: stored, isIdentity };
  if (!target.isEncoded) return 'that one is not offered';
  const decoded = decodedModule(source, stored);
  const obstacle = whyNotDecoded(source, stored) ?? whyNotEncoded(target, decoded);
  return obstacle ?? { source, target, stored, decoded, result: encodedModule(target, decoded), isIdentity };
}

function whyNotDecoded({ codec }: PixelEncoding, { samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation }: PixelModule): string | undefined {
  if (codec === 'native') return undefined;
  // PS3.5 §G.2: at most 15 segments, one for each byte of a sample.
  if (codec === 'rle') return bitsAllocated % 8 !== 0 || (samplesPerPixel * bitsAllocated) / 8 > 15 ? 'RLE has no room for such samples' : undefined;
  if (samplesPerPixel !== 1 && samplesPerPixel !== 3) return 'only one and three samples a pixel are known to the codec';
  if (bitsAllocated !== 8 && bitsAllocated !== 16) return 'only 8 and 16 bits allocated are known to the codec';
  if (codec !== 'jpeg2000' && codec !== 'htj2k') return undefined;
  if (samplesPerPixel === 3 && bitsStored > 8) return 'the codec has colour in 8 bits only';
  return pixelRepresentation === 1 && bitsStored <= 8 ? 'the codec has no signed samples of 8 bits' : undefined;
}

function whyNotEncoded(encoding: PixelEncoding, module: PixelModule): string | undefined {
  const { codec } = encoding;
  if (codec === 'native') return undefined;
  if (/_42[02]$/.test(module.photometricInterpretation)) return 'its colour is subsampled';
  if (codec === 'jpeg2000' && module.samplesPerPixel === 3 && module.photometricInterpretation !== 'RGB') return 'the encoder takes three samples for RGB';
  return whyNotDecoded(encoding, module);
}
