// What the last object of a sender said about itself, for the next one to be held against: within a series few elements differ from one
// object to the next. Memory of its own, used again and again: what is kept per object and thrown away at the next costs the
// collector more than decoding.
import { type DicomJsonDataset, type DicomJsonElement } from '@perennia/contracts';
import { CharacterSet, VR, type VrCode } from '@perennia/dicom-data';
import { type InstanceSearch, type SeriesSearch, type StudySearch } from './search-attributes.js';

/** All of a level of one object. The next object may share it, so it is never changed. */
export interface LevelRecord<Search extends object> {
  dataset: DicomJsonDataset;
  search: Search;
  /** `dataset` and `search` as JSON texts. */
  datasetText: string;
  searchText: string;
}

/** How the bytes of an element are read. */
export interface ElementEncoding {
  vr: VrCode;
  bigEndian: boolean;
  characterSet: CharacterSet;
}

interface KnownElement extends ElementEncoding {
  key: string;
  json: DicomJsonElement;
  /** Of a sequence that stood here last: its JSON text, by which it is known again. */
  text: string | undefined;
  /** Where its bytes are kept; -1 bytes where they are not. */
  at: number;
  bytes: number;
  capacity: number;
}

const VALUE_BYTES = 8 * 1024;
const SLOT_BYTES = 16;
/** Up to here comparing and copying byte by byte is quicker than a call out of the engine. */
const MAX_INLINE_BYTES = 48;

/** The values of one memory, each in a slot that the next value of the same place is written into. */
class ValueSlots {
  private readonly memory = Buffer.allocUnsafeSlow(VALUE_BYTES);
  private used = 0;

  holds(element: KnownElement, bytes: Buffer, start: number, end: number): boolean {
    const { memory } = this;
    const { at, bytes: length } = element;
    if (length !== end - start) return false;
    if (length > MAX_INLINE_BYTES) return memory.compare(bytes, start, end, at, at + length) === 0;
    for (let i = 0; i < length; i++) if (memory[at + i] !== bytes[start + i]) return false;
    return true;
  }

  /** Where there is no room for it, the value is not kept. */
  put(element: KnownElement, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > element.capacity && !this.allot(element, length)) return;
    element.bytes = length;
    if (length > MAX_INLINE_BYTES) bytes.copy(this.memory, element.at, start, end);
    else for (let i = 0; i < length; i++) this.memory[element.at + i] = bytes[start + i]!;
  }

  private allot(element: KnownElement, length: number): boolean {
    const capacity = Math.ceil(length / SLOT_BYTES) * SLOT_BYTES;
    element.bytes = -1;
    if (this.used + capacity > VALUE_BYTES) return false;
    element.at = this.used;
    element.capacity = capacity;
    this.used += capacity;
    return true;
  }
}

/** The elements of one level in the order in which they came. */
export class LevelMemory<Search extends object> {
  /** Undefined while the elements are not those of one whole object. */
  record: LevelRecord<Search> | undefined;
  private readonly elements: KnownElement[] = [];

  constructor(private readonly slots: ValueSlots) {}

  get size(): number {
    return this.elements.length;
  }

  /** The JSON of the element at a place, if it is the same there. */
  find(place: number, key: string, encoding: ElementEncoding, bytes: Buffer, start: number, end: number): DicomJsonElement | undefined {
    const known = this.elements[place];
    if (known === undefined || known.key !== key || known.vr !== encoding.vr || known.bigEndian !== encoding.bigEndian) return undefined;
    return known.characterSet === encoding.characterSet && this.slots.holds(known, bytes, start, end) ? known.json : undefined;
  }

  put(place: number, key: string, encoding: ElementEncoding, json: DicomJsonElement, bytes: Buffer, start: number, end: number): void {
    this.slots.put(this.replace(place, key, encoding, json), bytes, start, end);
  }

  findSequence(place: number, key: string, text: string): boolean {
    const known = this.elements[place];
    return known !== undefined && known.key === key && known.text === text;
  }

  putSequence(place: number, key: string, json: DicomJsonElement, text: string): void {
    this.replace(place, key, SEQUENCE, json).text = text;
  }

  private replace(place: number, key: string, encoding: ElementEncoding, json: DicomJsonElement): KnownElement {
    this.record = undefined;
    const known = this.elements[place];
    if (known === undefined) return (this.elements[place] = { key, ...encoding, json, text: undefined, at: 0, bytes: -1, capacity: 0 });
    known.key = key;
    known.vr = encoding.vr;
    known.bigEndian = encoding.bigEndian;
    known.characterSet = encoding.characterSet;
    known.json = json;
    return known;
  }

  /** A dataset of the first elements. */
  firstOf(count: number): DicomJsonDataset {
    const dataset: DicomJsonDataset = {};
    for (let place = 0; place < count; place++) dataset[this.elements[place]!.key] = this.elements[place]!.json;
    return dataset;
  }

  /** There are no more than these. */
  endAt(count: number): void {
    if (this.elements.length > count) this.elements.length = count;
  }
}
const SEQUENCE: ElementEncoding = { vr: VR.SQ, bigEndian: false, characterSet: CharacterSet.of([]) };

export interface HeaderLevels {
  study: LevelMemory<StudySearch>;
  series: LevelMemory<SeriesSearch>;
  instance: LevelMemory<InstanceSearch>;
}

/** Of one association or connection, whose objects come one after the other. */
export class HeaderMemory {
  /** The value of Specific Character Set that was read last, and what it means. */
  characterSet: { of: object; is: CharacterSet } | undefined;
  private readonly slots = new ValueSlots();
  private readonly levels: HeaderLevels = { study: new LevelMemory(this.slots), series: new LevelMemory(this.slots), instance: new LevelMemory(this.slots) };
  private defaultIssuer: string | undefined;
  private holder: object | undefined;

  /** Undefined while another object is being read. */
  take(holder: object, defaultIssuer: string | undefined): HeaderLevels | undefined {
    if (this.holder !== undefined) return undefined;
    this.holder = holder;
    if (defaultIssuer !== this.defaultIssuer) {
      this.defaultIssuer = defaultIssuer;
      this.levels.study.record = undefined;
    }
    return this.levels;
  }

  /** By whoever has it; anybody else changes nothing. */
  give(holder: object): void {
    if (this.holder === holder) this.holder = undefined;
  }
}
