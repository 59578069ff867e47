// The transfer syntaxes whose pixel data can be decoded and encoded, by which code, and what decoding changes in the Image
// Pixel Module. Encoding is lossless or not offered at all.
import type { PixelModule } from './pixel-module.js';

export type CodecName = 'native' | 'rle' | 'jpeg' | 'jpeg-ls' | 'jpeg2000' | 'htj2k';

export interface PixelEncoding {
  /** UID of the transfer syntax. */
  uid: string;
  codec: CodecName;
  /** Pixels of this syntax may have lost something when they were encoded. */
  isLossy: boolean;
  /** Whether frames can be encoded in it. */
  isEncoded: boolean;
}

export const RLE_LOSSLESS = '1.2.840.10008.1.2.5';
export const JPEG_LS_LOSSLESS = '1.2.840.10008.1.2.4.80';
export const JPEG_2000_LOSSLESS = '1.2.840.10008.1.2.4.90';
export const HTJ2K_LOSSLESS = '1.2.840.10008.1.2.4.201';

const NATIVE_LITTLE_ENDIAN = ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2', '1.2.840.10008.1.2.1.99'];
const NATIVE_BIG_ENDIAN = '1.2.840.10008.1.2.2';
/** JPEG by discrete cosine transform: Process 1, 2 and 4; 6 and 8, 10 and 12 are retired, and decoded because they were stored. */
const JPEG_LOSSY = ['1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.51', '1.2.840.10008.1.2.4.53', '1.2.840.10008.1.2.4.55'];
const JPEG_LOSSLESS = ['1.2.840.10008.1.2.4.57', '1.2.840.10008.1.2.4.70'];

const encodings: readonly PixelEncoding[] = [
  ...NATIVE_LITTLE_ENDIAN.map((uid) => ({ uid, codec: 'native' as const, isLossy: false, isEncoded: true })),
  { uid: NATIVE_BIG_ENDIAN, codec: 'native', isLossy: false, isEncoded: false },
  { uid: RLE_LOSSLESS, codec: 'rle', isLossy: false, isEncoded: true },
  ...JPEG_LOSSY.map((uid) => ({ uid, codec: 'jpeg' as const, isLossy: true, isEncoded: false })),
  ...JPEG_LOSSLESS.map((uid) => ({ uid, codec: 'jpeg' as const, isLossy: false, isEncoded: false })),
  { uid: JPEG_LS_LOSSLESS, codec: 'jpeg-ls', isLossy: false, isEncoded: true },
  { uid: '1.2.840.10008.1.2.4.81', codec: 'jpeg-ls', isLossy: true, isEncoded: false },
  { uid: JPEG_2000_LOSSLESS, codec: 'jpeg2000', isLossy: false, isEncoded: true },
  { uid: '1.2.840.10008.1.2.4.91', codec: 'jpeg2000', isLossy: true, isEncoded: false },
  { uid: HTJ2K_LOSSLESS, codec: 'htj2k', isLossy: false, isEncoded: true },
  { uid: '1.2.840.10008.1.2.4.202', codec: 'htj2k', isLossy: false, isEncoded: false },
  { uid: '1.2.840.10008.1.2.4.203', codec: 'htj2k', isLossy: true, isEncoded: false },
];
const byUid = new Map(encodings.map((encoding) => [encoding.uid, encoding]));

/** How pixel data of the transfer syntax is decoded; undefined where it cannot be (video, JPEG XL, what is unknown). */
export const pixelEncodingOf = (transferSyntaxUid: string): PixelEncoding | undefined => byUid.get(transferSyntaxUid);

/** Whether samples above 8 bits have their most significant byte first (PS3.5 §A.3). */
export const isBigEndian = (transferSyntaxUid: string): boolean => transferSyntaxUid === NATIVE_BIG_ENDIAN;

/** The transfer syntaxes in which frames can be encoded, native ones first. */
export const ENCODED_TRANSFER_SYNTAXES: readonly string[] = encodings.filter(({ isEncoded }) => isEncoded).map(({ uid }) => uid);

/** The module of a frame once it is decoded: native, little endian, and R1 G1 B1 … where it was encapsulated. */
export function decodedModule(encoding: PixelEncoding, module: PixelModule): PixelModule {
  if (encoding.codec === 'native') return module;
  return { ...module, planarConfiguration: 0, photometricInterpretation: decodedPhotometricInterpretation(encoding, module) };
}

/** Colour transforms that belong to the codestream are undone by its decoder (PS3.5 §8.2.1, §8.2.4); others stay what they are. */
function decodedPhotometricInterpretation({ codec, isLossy }: PixelEncoding, { photometricInterpretation, samplesPerPixel }: PixelModule): string {
  const isTransformed = codec === 'jpeg' ? isLossy && samplesPerPixel === 3 : codec === 'jpeg2000' || codec === 'htj2k' ? /^YBR_(ICT|RCT)$/.test(photometricInterpretation) : false;
  // Decoders give every pixel all of its samples, even where the dataset says that pixels share some.
  return isTransformed ? 'RGB' : photometricInterpretation.replace(/_42[02]$/, '');
}

/** The module of a native frame once it is encoded. JPEG 2000 takes the reversible transform for RGB (PS3.5 §8.2.4). */
export function encodedModule(encoding: PixelEncoding, module: PixelModule): PixelModule {
  if (encoding.codec === 'native') return module;
  const isTransformed = (encoding.codec === 'jpeg2000' || encoding.codec === 'htj2k') && module.photometricInterpretation === 'RGB';
  return { ...module, planarConfiguration: 0, photometricInterpretation: isTransformed ? 'YBR_RCT' : module.photometricInterpretation };
}
