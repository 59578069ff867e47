// Finds where one value of a dataset stands, so that it can be served by a range read. Works on chunks of any size and stops
// reading as soon as it knows.
import { DicomParseError, parseTag, type Tag, transferSyntaxOf, type VrCode } from '@perennia/dicom-data';
import { ElementReader } from './element-reader.js';
import { DESCEND, type ElementAction, type ElementVisitor, isFragmented, SKIP, STOP, UNDEFINED_LENGTH } from './element-visitor.js';
import { inflateWhole } from './header-json.js';
import { resolveVr } from './resolve-vr.js';

export interface BulkDataPlace {
  /** First byte of the value, counted from the first byte of the dataset (of the inflated one where it is deflated). */
  offset: number;
  /** Bytes of the value; for encapsulated pixel data from the basic offset table's tag to the delimiter's. */
  length: number;
  vr: string;
  isEncapsulated: boolean;
  bigEndian: boolean;
}

export class BulkDataLocator implements ElementVisitor {
  private readonly reader: ElementReader;
  private readonly path: readonly PathStep[];
  private at = 0;
  private readonly items: number[] = [];
  private encapsulated: BulkDataPlace | undefined;
  /** The value, once it has been met. */
  place: BulkDataPlace | undefined;

  /** @param tagPath as `headerToJson` gives it to `bulkDataUri` */
  constructor(transferSyntaxUid: string, tagPath: string) {
    const { explicit, bigEndian } = transferSyntaxOf(transferSyntaxUid);
    this.path = parsePath(tagPath);
    this.reader = new ElementReader({ explicit, bigEndian, visitor: this });
  }

  /** Takes the next bytes of the (inflated) dataset; answers whether more are wanted. */
  push(chunk: Uint8Array): boolean {
    this.reader.push(chunk);
    return this.place === undefined && !this.reader.isStopped;
  }

  element(tag: Tag, vr: VrCode, length: number): ElementAction {
    const step = this.path[this.at]!;
    const isHere = this.items.length === this.at && tag === step.tag;
    if (!isHere) return SKIP;
    if (this.at + 1 < this.path.length) {
      this.at++;
      this.items.push(0);
      return DESCEND;
    }
    const place = { offset: this.reader.valueOffset, length, vr: resolveVr(tag, vr, 0), isEncapsulated: length === UNDEFINED_LENGTH, bigEndian: this.reader.bigEndian };
    if (length !== UNDEFINED_LENGTH) {
      this.place = place;
      return STOP;
    }
    if (!isFragmented(tag, vr)) return SKIP;
    this.encapsulated = { ...place, vr: 'OB' };
    return DESCEND;
  }

  value(): void {
    throw new Error('The locator never asks for a value.');
  }
  startItem(): void {
    this.items[this.items.length - 1]!++;
    // Elements of other items are one level too deep to match.
    if (this.items.at(-1) !== this.path[this.at - 1]!.item) this.items.push(-1);
  }
  endItem(): void {
    if (this.items.at(-1) === -1) this.items.pop();
  }
  endSequence(): void {
    this.items.pop();
    this.at--;
  }
  fragment(): ElementAction {
    return SKIP;
  }
  fragmentHead(): void {
    // Only the end of the fragments is of interest.
  }
  endFragments(endOffset: number): void {
    this.place ??= this.encapsulated && { ...this.encapsulated, length: endOffset - this.encapsulated.offset };
  }
}

/** The place of a value in a dataset that is held whole, or begins at least up to the value; undefined where it is not. */
export function locateBulkData(dataset: Uint8Array, transferSyntaxUid: string, tagPath: string): BulkDataPlace | undefined {
  const locator = new BulkDataLocator(transferSyntaxUid, tagPath);
  locator.push(transferSyntaxOf(transferSyntaxUid).deflated ? inflateWhole(dataset) : dataset);
  return locator.place;
}

interface PathStep {
  tag: Tag;
  /** Item to enter; 0 at the last step. */
  item: number;
}
function parsePath(tagPath: string): PathStep[] {
  const parts = tagPath.split('/');
  const steps: PathStep[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const tag = /^[0-9A-Fa-f]{8}$/.test(parts[i]!) ? parseTag(parts[i]!) : undefined;
    const isLast = i + 1 === parts.length;
    const item = isLast ? 0 : Number(/^[1-9]\d{0,8}$/.exec(parts[i + 1]!)?.[0]);
    if (tag === undefined || Number.isNaN(item) || i + 2 === parts.length) throw new DicomParseError('MALFORMED', 'The path of a bulk data value is not one.');
    steps.push({ tag, item });
  }
  return steps;
}
