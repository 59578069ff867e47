// Builds DICOM JSON (PS3.18 Annex F) of a dataset, or of one sequence of it, while an ElementReader walks through. Keeps its
// own stack, follows Specific Character Set into items, and lets a policy decide which values become bulk data.
import { type DicomJsonDataset } from '@perennia/contracts';
import { CharacterSet, elementToJson, type Tag, tagKey, VR, type VrCode } from '@perennia/dicom-data';
import { type ElementReader } from './element-reader.js';
import { CAPTURE, DESCEND, type ElementAction, type ElementVisitor, isFragmented, SKIP, UNDEFINED_LENGTH } from './element-visitor.js';
import { resolveVr } from './resolve-vr.js';

const SPECIFIC_CHARACTER_SET = 0x00080005;
const PIXEL_REPRESENTATION = 0x00280103;

interface Level {
  dataset: DicomJsonDataset;
  characterSet: CharacterSet;
  /** The sequence that is open in this dataset, with its items so far. */
  sequenceTag: Tag;
  items: DicomJsonDataset[];
  /** 1-based number of the item within its sequence, 0 at the top. */
  item: number;
}

export interface JsonPolicy {
  /** The URI under which a value is offered instead of being inlined; undefined: inline it. */
  bulkDataUri?(vr: string, length: number, tagPath: () => string): string | undefined;
}

export class DatasetJsonVisitor implements ElementVisitor {
  private readonly levels: Level[];
  private pixelRepresentation = 0;
  private vr = 'UN';
  private reader!: Pick<ElementReader, 'bigEndian'>;

  constructor(private readonly policy: JsonPolicy = {}, characterSet: CharacterSet = CharacterSet.of([])) {
    this.levels = [level({}, characterSet, 0)];
  }

  /** The reader that drives this visitor: in which byte order values are. */
  attach(reader: Pick<ElementReader, 'bigEndian'>): void {
    this.reader = reader;
  }

  /** The JSON of everything read so far at the top. */
  get dataset(): DicomJsonDataset {
    return this.levels[0]!.dataset;
  }
  /** The JSON of the innermost dataset or item that is being read. */
  protected get current(): DicomJsonDataset {
    return this.levels.at(-1)!.dataset;
  }
  /** Items around the current element. */
  protected get itemDepth(): number {
    return this.levels.length - 1;
  }
  /** Whether the reader is inside of a sequence. */
  get isNested(): boolean {
    return this.levels.length > 1 || this.levels[0]!.sequenceTag !== 0;
  }

  element(tag: Tag, vr: VrCode, length: number): ElementAction {
    // Group lengths have no place in the model (PS3.18 §F.2.2), padding no meaning.
    if ((tag & 0xffff) === 0 || tag === 0xfffcfffc) return SKIP;
    const top = this.levels.at(-1)!;
    const name = resolveVr(tag, vr, this.pixelRepresentation);
    this.vr = name;
    if (name === 'SQ' || (length === UNDEFINED_LENGTH && !isFragmented(tag, vr))) {
      top.sequenceTag = tag;
      top.items = [];
      top.dataset[tagKey(tag)] = { vr: 'SQ' };
      return DESCEND;
    }
    const uri = this.policy.bulkDataUri?.(name, length, () => this.path(tag));
    if (uri !== undefined) top.dataset[tagKey(tag)] = { vr: name, BulkDataURI: uri };
    return uri !== undefined || length === UNDEFINED_LENGTH ? SKIP : CAPTURE;
  }

  value(tag: Tag, vr: VrCode, bytes: Buffer, start: number, end: number): void {
    const top = this.levels.at(-1)!;
    // UN is always little endian (PS3.5 §6.2.2).
    const bigEndian = this.reader.bigEndian && vr !== VR.UN;
    const json = elementToJson(this.vr, bytes, start, end, { bigEndian, characterSet: top.characterSet });
    top.dataset[tagKey(tag)] = json;
    if (tag === SPECIFIC_CHARACTER_SET) top.characterSet = CharacterSet.of((json.Value ?? []).map((term) => (typeof term === 'string' ? term : '')));
    else if (tag === PIXEL_REPRESENTATION && typeof json.Value?.[0] === 'number') this.pixelRepresentation = json.Value[0];
  }

  startItem(): void {
    const parent = this.levels.at(-1)!;
    const dataset: DicomJsonDataset = {};
    parent.items.push(dataset);
    this.levels.push(level(dataset, parent.characterSet, parent.items.length));
  }

  endItem(): void {
    this.levels.pop();
  }

  endSequence(): void {
    const top = this.levels.at(-1)!;
    if (top.items.length > 0) top.dataset[tagKey(top.sequenceTag)]!.Value = top.items;
    top.sequenceTag = 0;
    top.items = [];
  }

  fragment(): ElementAction {
    return SKIP;
  }
  fragmentHead(): void {
    // See endFragments.
  }
  endFragments(): void {
    // Fragments are bulk data or left out: they are never told.
  }

  /** `GGGGEEEE/item/GGGGEEEE…`, items counted from 1. */
  private path(tag: Tag): string {
    let path = '';
    for (let i = 0; i + 1 < this.levels.length; i++) path += `${tagKey(this.levels[i]!.sequenceTag)}/${this.levels[i + 1]!.item}/`;
    return path + tagKey(tag);
  }
}

function level(dataset: DicomJsonDataset, characterSet: CharacterSet, item: number): Level {
  return { dataset, characterSet, sequenceTag: 0, items: [], item };
}
