// The whole metadata of an instance (PS3.18 §10.4.1.1.2) from the bytes before its pixel data. Values above a limit, and pixel
// data always, become BulkDataURI.
import { type DicomJsonDataset } from '@perennia/contracts';
import { CharacterSet, DicomParseError, type Tag, tagKey, transferSyntaxOf, type TransferSyntax, VR, type VrCode, vrName } from '@perennia/dicom-data';
import { inflateRawSync } from 'node:zlib';
import { DatasetJsonVisitor } from './dataset-json-visitor.js';
import { ElementReader } from './element-reader.js';
import { type ElementAction, STOP, UNDEFINED_LENGTH } from './element-visitor.js';
import { DEFAULT_READER_LIMITS } from './reader-limits.js';

/** Read so many bytes beyond the header length, and the pixel element's own VR is told instead of inferred. */
export const PIXEL_HEADER_BYTES = 12;

export interface HeaderJsonOptions {
  /** The URI of a value; `tagPath` is `GGGGEEEE`, within sequences `GGGGEEEE/1/GGGGEEEE`, items counted from 1. */
  bulkDataUri(tagPath: string): string;
  /** Longest value in bytes that is inlined. */
  inlineLimitBytes: number;
  /** Specific Character Set where the dataset has none; backslash separated. */
  defaultCharacterSet?: string;
}

/**
 * `header` begins with the first byte of the dataset and ends at the pixel element, after its header, or with the dataset:
 * whatever was read. Where it ends before the pixel element, one is assumed if the image pixel module is there.
 * Specific Character Set becomes ISO_IR 192, as the text has become UTF-8. Keys come in the order of the dataset as far as JavaScript objects allow.
 */
export function headerToJson(header: Uint8Array, transferSyntaxUid: string, options: HeaderJsonOptions): DicomJsonDataset {
  const transferSyntax = transferSyntaxOf(transferSyntaxUid);
  const visitor = new HeaderJsonVisitor(options);
  const reader = new ElementReader({ explicit: transferSyntax.explicit, bigEndian: transferSyntax.bigEndian, visitor });
  visitor.attach(reader);
  reader.push(transferSyntax.deflated ? inflateWhole(header) : header);
  if (!visitor.sawPixelData && !transferSyntax.deflated) addPixelData(visitor.dataset, transferSyntax, reader.explicit, options);
  return visitor.dataset;
}

/** A deflated dataset has no header of its own: all of it is inflated. */
export function inflateWhole(bytes: Uint8Array): Buffer {
  const cap = Math.min(DEFAULT_READER_LIMITS.maxInflatedBytes, Math.max(16 * 1024 * 1024, bytes.length * DEFAULT_READER_LIMITS.maxInflateRatio));
  try {
    return inflateRawSync(bytes, { maxOutputLength: cap });
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new DicomParseError(isTooLarge ? 'LIMIT_EXCEEDED' : 'BAD_DEFLATE', isTooLarge ? 'The deflated dataset inflates to more than is allowed.' : 'The deflated dataset cannot be inflated.');
  }
}

class HeaderJsonVisitor extends DatasetJsonVisitor {
  sawPixelData = false;

  constructor(private readonly options: HeaderJsonOptions) {
    super(
      { bulkDataUri: (vr, length, tagPath) => (length === UNDEFINED_LENGTH || (length > options.inlineLimitBytes && BULK_VRS.has(vr)) ? options.bulkDataUri(tagPath()) : undefined) },
      CharacterSet.of(options.defaultCharacterSet?.split('\\') ?? []),
    );
  }

  /** DICOM JSON is UTF-8 whatever the dataset was, and must not say otherwise (PS3.18 §F.2). */
  override value(tag: Tag, vr: VrCode, bytes: Buffer, start: number, end: number): void {
    super.value(tag, vr, bytes, start, end);
    const json = this.current[SPECIFIC_CHARACTER_SET_KEY];
    if (tag === SPECIFIC_CHARACTER_SET && json?.Value !== undefined) json.Value = ['ISO_IR 192'];
  }

  override element(tag: Tag, vr: VrCode, length: number): ElementAction {
    if (this.isNested || !PIXEL_TAGS.has(tag)) return super.element(tag, vr, length);
    this.sawPixelData = true;
    const name = length === UNDEFINED_LENGTH ? 'OB' : vr === 0 || vr === VR.UN ? PIXEL_TAGS.get(tag)! : vrName(vr);
    this.dataset[tagKey(tag)] = length === 0 ? { vr: name } : { vr: name, BulkDataURI: this.options.bulkDataUri(tagKey(tag)) };
    return STOP;
  }
}
const SPECIFIC_CHARACTER_SET = 0x00080005;
const SPECIFIC_CHARACTER_SET_KEY = '00080005';
/** Pixel data elements (PS3.3 §C.7.6.3, §C.7.6.24, §C.7.6.25) and their VR in implicit VR. */
const PIXEL_TAGS: ReadonlyMap<Tag, string> = new Map([[0x7fe00008, 'OF'], [0x7fe00009, 'OD'], [0x7fe00010, 'OW']]);
/** PS3.18 §F.2.6: VRs whose value may be bulk data. */
const BULK_VRS = new Set('DS FL FD IS LT OB OD OF OL OV OW SL SS ST SV UC UL UN US UT UV'.split(' '));

function addPixelData(dataset: DicomJsonDataset, transferSyntax: TransferSyntax, explicit: boolean, options: HeaderJsonOptions): void {
  const bitsAllocated = dataset['00280100']?.Value?.[0];
  if (dataset['00280010'] === undefined || typeof bitsAllocated !== 'number' || dataset['00287FE0'] !== undefined) return;
  // PS3.5 §A.4: encapsulated is OB; §8.1.2 and §A.1: native above 8 bits, and all of implicit VR, is OW.
  const isOw = !transferSyntax.encapsulated && (!explicit || bitsAllocated > 8);
  dataset['7FE00010'] = { vr: isOw ? 'OW' : 'OB', BulkDataURI: options.bulkDataUri('7FE00010') };
}
