// Values that metadata names by BulkDataURI: found by walking the dataset up to them, then read by range. Bytes are little
// endian (PS3.18 §8.7.3.2 application/octet-stream), so big endian words are turned.
import { BulkDataLocator, locateBulkData, transferSyntaxOf, type BulkDataPlace } from '@perennia/dicom-stream';
import { LimitExceededError, NotFoundError } from '@perennia/errors';
import { fragmentsOf, toLittleEndian } from './frame-bytes.js';
import { inflateDataset, MAX_INFLATED_BYTES } from './inflate-dataset.js';
import type { ReadInstance } from './read-instance.js';
import type { FramedInstance } from './stored-instance.js';

export interface BulkData {
  /** Bytes of the value as it is given out. */
  length: number;
  /** The value is encapsulated pixel data: its fragments one after the other, in the transfer syntax of the instance. */
  isEncapsulated: boolean;
  read(offset: number, length: number): AsyncIterable<Buffer>;
}

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const WALK_BYTES = 256 * 1024;
const WORD_BYTES: Readonly<Record<string, number>> = { OW: 2, US: 2, SS: 2, AT: 2, OF: 4, OL: 4, FL: 4, SL: 4, UL: 4, OD: 8, OV: 8, FD: 8, SV: 8, UV: 8 };

export class ReadBulkData {
  constructor(private readonly readInstance: ReadInstance) {}

  /** @param elements as in the path: tag, item, tag …; @throws NotFoundError when the dataset has no such value */
  async open(instance: FramedInstance, elements: readonly string[]): Promise<BulkData> {
    const path = elements.join('/');
    await this.readInstance.proveIfQuick(instance);
    if (transferSyntaxOf(instance.transferSyntaxUid).deflated) {
      const dataset = await inflateDataset(this.readInstance, instance);
      const place = locateBulkData(dataset, EXPLICIT_LITTLE_ENDIAN, path);
      if (!place) throw noSuchValue();
      return inMemory(dataset.subarray(place.offset, place.offset + place.length));
    }
    const place = nativePixelData(instance, path) ?? (await this.#walk(instance, path));
    if (!place) throw noSuchValue();
    if (place.isEncapsulated) return this.#encapsulated(instance, place);
    const wordBytes = place.bigEndian ? (WORD_BYTES[place.vr] ?? 1) : 1;
    const offset = instance.datasetOffset + place.offset;
    if (wordBytes > 1) {
      if (place.length > MAX_INFLATED_BYTES) throw tooLarge();
      return inMemory(toLittleEndian(await this.readInstance.read(instance, offset, place.length), wordBytes));
    }
    return { length: place.length, isEncapsulated: false, read: (from, length) => this.readInstance.stream(instance, offset + from, length) };
  }

  async #walk(instance: FramedInstance, path: string): Promise<BulkDataPlace | undefined> {
    const locator = new BulkDataLocator(instance.transferSyntaxUid, path);
    for (let at = instance.datasetOffset; at < instance.objectLength; at += WALK_BYTES) {
      const chunk = await this.readInstance.read(instance, at, Math.min(WALK_BYTES, instance.objectLength - at));
      if (!locator.push(chunk)) break;
    }
    return locator.place;
  }

  /** Fragment headers are read first, so that the length is known and any range of a video can be given. */
  async #encapsulated(instance: FramedInstance, place: BulkDataPlace): Promise<BulkData> {
    const fragments = await this.#fragments(instance, instance.datasetOffset + place.offset, place.length);
    const length = fragments.reduce((sum, fragment) => sum + fragment.length, 0);
    const { readInstance } = this;
    return {
      length,
      isEncapsulated: true,
      async *read(from, count) {
        let before = 0;
        for (const fragment of fragments) {
          const start = Math.max(from, before);
          const end = Math.min(from + count, before + fragment.length);
          if (start < end) yield* readInstance.stream(instance, fragment.offset + start - before, end - start);
          before += fragment.length;
        }
      },
    };
  }

  async #fragments(instance: FramedInstance, offset: number, length: number): Promise<{ offset: number; length: number }[]> {
    if (length <= WALK_BYTES) {
      const values = fragmentsOf(await this.readInstance.read(instance, offset, length));
      let at = offset;
      const places = values.map((value) => ({ offset: (at += 8) && at, length: (at += value.length) && value.length }));
      return places.slice(1);
    }
    const fragments: { offset: number; length: number }[] = [];
    for (let at = offset; at + 8 <= offset + length; ) {
      const head = await this.readInstance.read(instance, at, 8);
      if (head.readUInt16LE(2) === 0xe0dd) break;
      const bytes = head.readUInt32LE(4);
      fragments.push({ offset: at + 8, length: bytes });
      at += 8 + bytes;
    }
    return fragments.slice(1);
  }
}

/** Known from the frame index: no walk over the header. */
function nativePixelData({ frameIndex, datasetOffset, transferSyntaxUid, bitsAllocated }: FramedInstance, path: string): BulkDataPlace | undefined {
  if (path !== '7FE00010' || frameIndex.kind !== 'native') return undefined;
  const { bigEndian } = transferSyntaxOf(transferSyntaxUid);
  if (bigEndian && (bitsAllocated ?? 8) > 8) return undefined;
  return { offset: frameIndex.offset - datasetOffset, length: frameIndex.length, vr: 'OB', isEncapsulated: false, bigEndian };
}

function inMemory(bytes: Buffer): BulkData {
  return {
    length: bytes.length,
    isEncapsulated: false,
    async *read(offset, length) {
      yield bytes.subarray(offset, offset + length);
    },
  };
}

const noSuchValue = (): NotFoundError => new NotFoundError('The instance has no such value.');
const tooLarge = (): LimitExceededError => new LimitExceededError(`The value has more than ${MAX_INFLATED_BYTES} bytes and is stored in big endian`);
