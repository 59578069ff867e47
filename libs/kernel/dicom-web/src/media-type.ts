// Media types as DICOMweb uses them (PS3.18 §8.7): `multipart/related; type="application/dicom"; transfer-syntax=*; q=0.9`,
// and which of the representations we have answers an Accept header best.
import { DicomWebError } from './dicom-web-error.js';
import { parseParameterizedValue, splitOutsideQuotes } from './parameterized-value.js';

/** One range of an Accept header. */
export interface AcceptRange {
  /** Lower case; may be a wildcard such as `*` + `/*` or `image/*`. */
  mediaType: string;
  /** Type of the parts of `multipart/related`, lower case; absent: any. */
  partType?: string;
  /** UID, `*`, or absent: the default of the media type. */
  transferSyntax?: string;
  /** Weight 0…1; 0 means never. */
  quality: number;
}

/** Something we could answer with. */
export interface Representation {
  mediaType: string;
  partType?: string;
  /** The transfer syntax of the bytes, where the range may ask for one. */
  transferSyntax?: string;
}

const MAX_RANGES = 64;

function parseQuality(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text)) throw new DicomWebError('syntax', 'Accept: q must be 0 to 1 with at most three decimals');
  return Number(text);
}

/** @param text the Accept header, or several joined by commas; empty means anything */
export function parseAccept(text: string | undefined): AcceptRange[] {
  const pieces = splitOutsideQuotes(text ?? '', ',').map((piece) => piece.trim()).filter(Boolean);
  if (pieces.length === 0) return [{ mediaType: '*/*', quality: 1 }];
  if (pieces.length > MAX_RANGES) throw new DicomWebError('limit', `Accept names more than ${MAX_RANGES} media types`);
  return pieces.map((piece) => {
    const parsed = parseParameterizedValue(piece);
    if (!parsed || !/^[^\s/]+\/[^\s/]+$/.test(parsed.value)) throw new DicomWebError('syntax', 'Accept is not a list of media types');
    const partType = parsed.parameters.get('type')?.toLowerCase();
    const transferSyntax = parsed.parameters.get('transfer-syntax');
    return {
      mediaType: parsed.value,
      quality: parseQuality(parsed.parameters.get('q')),
      ...(partType === undefined ? {} : { partType }),
      ...(transferSyntax === undefined ? {} : { transferSyntax }),
    };
  });
}

function covers(range: string | undefined, type: string | undefined): boolean {
  if (range === undefined || range === '*/*' || type === undefined) return true;
  return range === type || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));
}

/** Exact beats partial beats any, as in RFC 9110 §12.5.1. */
function specificity(range: AcceptRange): number {
  const type = range.mediaType === '*/*' ? 0 : range.mediaType.endsWith('/*') ? 1 : 2;
  return type * 4 + (range.partType === undefined ? 0 : 2) + (range.transferSyntax === undefined || range.transferSyntax === '*' ? 0 : 1);
}

function matches(range: AcceptRange, offer: Representation, defaults: ReadonlyMap<string, readonly string[]>): boolean {
  if (!covers(range.mediaType, offer.mediaType) || !covers(range.partType, offer.partType)) return false;
  if (offer.transferSyntax === undefined || range.transferSyntax === '*') return true;
  if (range.transferSyntax !== undefined) return range.transferSyntax === offer.transferSyntax;
  const expected = defaults.get(offer.partType ?? offer.mediaType);
  return expected === undefined || expected.includes(offer.transferSyntax);
}

/**
 * The best representation for a client, or null: 406.
 * @param offers in our order of preference
 * @param defaults transfer syntaxes meant by a media type without `transfer-syntax` (PS3.18 Table 8.7.3-2 ff.)
 */
export function negotiate<Offer extends Representation>(
  ranges: readonly AcceptRange[],
  offers: readonly Offer[],
  defaults: ReadonlyMap<string, readonly string[]> = new Map(),
): Offer | null {
  let best: { offer: Offer; quality: number } | null = null;
  for (const offer of offers) {
    let chosen: AcceptRange | null = null;
    for (const range of ranges) {
      if (matches(range, offer, defaults) && (!chosen || specificity(range) > specificity(chosen))) chosen = range;
    }
    if (chosen && chosen.quality > (best?.quality ?? 0)) best = { offer, quality: chosen.quality };
  }
  return best?.offer ?? null;
}
