// The part of the Image Pixel Module that says how the samples of a frame lie in its bytes (PS3.3 §C.7.6.3). Whoever decodes
// or encodes is told it by the dataset and believes nothing else: a codestream that says otherwise is refused.
import type { DicomJsonDataset } from '@perennia/contracts';
import { InvalidInputError } from '@perennia/errors';

export interface PixelModule {
  /** Pixels; 1 to 65535, as the other numbers of VR US. */
  rows: number;
  columns: number;
  samplesPerPixel: number;
  /** Bits of a sample in native pixel data: 1 or a multiple of 8. */
  bitsAllocated: number;
  bitsStored: number;
  /** Number of the most significant bit, from 0. */
  highBit: number;
  /** 0: unsigned; 1: two's complement. */
  pixelRepresentation: 0 | 1;
  /** 0: R1 G1 B1 R2 …; 1: R1 R2 … G1 …. 0 where there is one sample a pixel. */
  planarConfiguration: 0 | 1;
  /** As it stands in the dataset, e.g. `MONOCHROME2`, `YBR_FULL_422`. */
  photometricInterpretation: string;
  /** VR of Pixel Data where it is known: in big endian, samples of 8 bits and less are turned by words if it is OW (PS3.5 §8.1.1). */
  pixelDataVr?: string;
}

/**
 * Reads the module from the DICOM JSON of a dataset. What is missing and can be told is told: Bits Stored, High Bit, one sample.
 * @throws InvalidInputError that names the attribute, where one is absent, no number of its VR, or contradicts the others
 */
export function pixelModuleOf(dataset: DicomJsonDataset): PixelModule {
  const samplesPerPixel = unsignedShort(dataset, '00280002', 1);
  const bitsAllocated = unsignedShort(dataset, '00280100');
  const bitsStored = unsignedShort(dataset, '00280101', bitsAllocated);
  const module: PixelModule = {
    rows: unsignedShort(dataset, '00280010'),
    columns: unsignedShort(dataset, '00280011'),
    samplesPerPixel,
    bitsAllocated,
    bitsStored,
    highBit: unsignedShort(dataset, '00280102', bitsStored - 1),
    pixelRepresentation: unsignedShort(dataset, '00280103', 0) === 1 ? 1 : 0,
    planarConfiguration: samplesPerPixel > 1 && unsignedShort(dataset, '00280006', 0) === 1 ? 1 : 0,
    photometricInterpretation: String(dataset['00280004']?.Value?.[0] ?? (samplesPerPixel === 1 ? 'MONOCHROME2' : 'RGB')).trim(),
    ...(dataset['7FE00010'] && { pixelDataVr: dataset['7FE00010'].vr }),
  };
  assertConsistent(module);
  return module;
}

/** @throws InvalidInputError where sizes are 0 or bits do not fit into one another */
export function assertConsistent(module: PixelModule): void {
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, highBit } = module;
  const areShort = [rows, columns, samplesPerPixel].every((value) => Number.isInteger(value) && value >= 1 && value <= 0xffff);
  const doBitsFit = (bitsAllocated === 1 || (bitsAllocated % 8 === 0 && bitsAllocated <= 64)) && bitsStored >= 1 && bitsStored <= bitsAllocated && highBit >= bitsStored - 1 && highBit < bitsAllocated;
  if (!areShort || !doBitsFit) throw new InvalidInputError('The Image Pixel Module of this instance contradicts itself.', { details: { ...module } });
}

/** Bytes of a frame of native pixel data, without the padding at the end of Pixel Data (PS3.5 §8.1.1, PS3.3 §C.7.6.3.1.2). */
export function nativeFrameBytes(module: PixelModule): number {
  const { photometricInterpretation, rows, columns, samplesPerPixel, bitsAllocated } = module;
  const samples = photometricInterpretation.endsWith('_422') ? 2 : photometricInterpretation.endsWith('_420') ? 1.5 : samplesPerPixel;
  return Math.ceil((rows * columns * samples * bitsAllocated) / 8);
}

function unsignedShort(dataset: DicomJsonDataset, tag: string, fallback?: number): number {
  const value = dataset[tag]?.Value?.[0] ?? fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff) return value;
  throw new InvalidInputError(`The instance has no usable (${tag.slice(0, 4)},${tag.slice(4)}), so that its pixels cannot be decoded.`, { details: { tag } });
}
