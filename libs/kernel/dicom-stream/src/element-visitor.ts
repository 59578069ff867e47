// What a reader of elements tells, and what it is told in return. Values are handed over as ranges of a buffer that is
// only valid during the call: whoever wants to keep bytes copies them.
import { type Tag, VR, type VrCode } from '@perennia/dicom-data';

/** What shall be done with the value of an element. */
export const SKIP = 0;
/** Gather the value, however many chunks it spans, and hand it to `value`. */
export const CAPTURE = 1;
/** Read the value as a sequence of items. */
export const DESCEND = 2;
/** Read no further: all later bytes are ignored. */
export const STOP = 3;
export type ElementAction = typeof SKIP | typeof CAPTURE | typeof DESCEND | typeof STOP;

/** The length field of an element, item or sequence that ends with a delimiter (PS3.5 §7.1.1). */
export const UNDEFINED_LENGTH = 0xffffffff;

const PIXEL_DATA = 0x7fe00010;

/** Whether an element of undefined length is encapsulated data (PS3.5 §A.4); all others are sequences. */
export function isFragmented(tag: Tag, vr: VrCode): boolean {
  return vr === VR.OB || vr === VR.OW || (tag === PIXEL_DATA && (vr === 0 || vr === VR.UN));
}

export interface ElementVisitor {
  /**
   * An element begins. `vr` is 0 in implicit VR. A sequence of undefined length is always walked through; unless the answer
   * is DESCEND nothing of its inside is told.
   */
  element(tag: Tag, vr: VrCode, length: number): ElementAction;
  /** The value of an element, or of a fragment, for which CAPTURE was answered. */
  value(tag: Tag, vr: VrCode, bytes: Buffer, start: number, end: number): void;
  startItem(): void;
  endItem(): void;
  endSequence(): void;
  /** One item of encapsulated pixel data (PS3.5 §A.4), the basic offset table being the first; `itemOffset` is where its tag begins. */
  fragment(itemOffset: number, length: number): ElementAction;
  /** The first four bytes, as a big-endian number, of a fragment that is skipped and has so many. */
  fragmentHead(head: number): void;
  endFragments(endOffset: number): void;
}
