// The index attributes of one level while an object is read, held against those of the sender's object before. As long as an element
// stands where it stood with the same bytes it is not decoded again, and a level that is wholly the same is not written out again either.
import { type DicomJsonDataset, type DicomJsonElement } from '@perennia/contracts';
import { elementToJson, isKnownVr, VR, vrName, type VrCode } from '@perennia/dicom-data';
import { type ElementEncoding, type LevelMemory, type LevelRecord } from './header-memory.js';
import { type IndexAttribute } from './index-attributes.js';

export class LevelReading<Search extends object> {
  occursTwice = false;
  /** Undefined while everything is as it was in the object before. */
  private own: DicomJsonDataset | undefined;
  private count = 0;

  constructor(private readonly memory: LevelMemory<Search> | undefined) {
    if (memory?.record === undefined) this.own = {};
  }

  /** Of the elements read so far. */
  get dataset(): DicomJsonDataset {
    return this.isAsBefore() ? this.memory!.record!.dataset : this.apart();
  }

  value(wanted: IndexAttribute, encoding: ElementEncoding, bytes: Buffer, start: number, end: number): DicomJsonElement {
    const { memory } = this;
    const { key } = wanted;
    let json = memory?.find(this.count, key, encoding, bytes, start, end);
    if (json === undefined) {
      json = elementToJson(nameOf(encoding.vr, wanted), bytes, start, end, encoding);
      this.add(key, json);
      memory?.put(this.count, key, encoding, json, bytes, start, end);
    } else if (this.own !== undefined) this.add(key, json);
    this.count += 1;
    return json;
  }

  sequence({ key }: IndexAttribute, json: DicomJsonElement): void {
    const { memory } = this;
    const text = memory === undefined ? '' : JSON.stringify(json);
    const isKnown = memory?.findSequence(this.count, key, text) ?? false;
    if (!isKnown || this.own !== undefined) this.add(key, json);
    if (!isKnown) memory?.putSequence(this.count, key, json, text);
    this.count += 1;
  }

  /** The level is complete. */
  end(search: (dataset: DicomJsonDataset) => Search): LevelRecord<Search> {
    if (this.isAsBefore()) return this.memory!.record!;
    const dataset = this.apart();
    const found = search(dataset);
    const record = { dataset, search: found, datasetText: JSON.stringify(dataset), searchText: JSON.stringify(found) };
    if (this.memory !== undefined) {
      this.memory.endAt(this.count);
      this.memory.record = this.occursTwice ? undefined : record;
    }
    return record;
  }

  private isAsBefore(): boolean {
    return this.own === undefined && this.count === this.memory!.size;
  }

  private add(key: string, json: DicomJsonElement): void {
    const dataset = this.apart();
    if (dataset[key] !== undefined) this.occursTwice = true;
    dataset[key] = json;
  }

  /** From the first difference on the object has a dataset of its own. */
  private apart(): DicomJsonDataset {
    return (this.own ??= this.memory!.firstOf(this.count));
  }
}

function nameOf(vr: VrCode, wanted: IndexAttribute): string {
  return vr !== 0 && vr !== VR.UN && isKnownVr(vr) ? vrName(vr) : wanted.vr;
}
