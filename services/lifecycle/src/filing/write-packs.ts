// Writes the packs of one study and reads them back: what this gives out stands on the device as it was received. A pack without rows
// that refer to it is no harm: a crash leaves one, and the sweep finds it.
import { HOT_TIER } from '@perennia/contracts';
import { CorruptDataError } from '@perennia/errors';
import { PackWriter, packKey, readPackIndex, verifyWrittenPack, type ObjectStore, type PlaceReader, type WrittenPack } from '@perennia/storage';
import { v7 as uuidv7 } from 'uuid';
import type { FiledRecord, FilingRecord, FilingStudy } from './filing-record.js';
import { readObjects } from './read-object.js';

export interface WritePacksParts {
  store: ObjectStore;
  reader: PlaceReader;
  /** `full`: every byte is read back; `index`: only the index is, and objects are verified while they are read from the landing area. */
  verify: 'full' | 'index';
}

export class WritePacks {
  constructor(private readonly parts: WritePacksParts) {}

  /** @throws CorruptDataError with details.damaged = receipt ids whose bytes differ: nothing stays of their pack */
  async write(study: FilingStudy): Promise<FiledRecord[]> {
    const filed: FiledRecord[] = [];
    let open: OpenPack | undefined;
    try {
      for await (const { record, bytes } of readObjects(this.parts.reader, study.records, this.parts.verify === 'index')) {
        if (open?.writer.splitsBefore(record.place.length)) {
          filed.push(...(await this.finish(open)));
          open = undefined;
        }
        open ??= await this.open(study);
        await open.writer.add(record.receipt, bytes);
        open.records.push(record);
      }
      if (open) filed.push(...(await this.finish(open)));
      return filed;
    } catch (error) {
      await open?.writer.abort();
      for (const written of new Set(filed.map((each) => each.packKey))) await this.parts.store.delete(written);
      throw error;
    }
  }

  private async open(study: FilingStudy): Promise<OpenPack> {
    // The id tells the time: packs sort in the order in which they were begun.
    const key = packKey(study.tenantId, study.studyInstanceUid, uuidv7());
    return { key, writer: new PackWriter(await this.parts.store.create(key)), records: [] };
  }

  private async finish({ key, writer, records }: OpenPack): Promise<FiledRecord[]> {
    const written = await writer.commit();
    try {
      await this.verify(key, written);
    } catch (error) {
      if (error instanceof CorruptDataError) await this.parts.store.delete(key);
      throw error;
    }
    return records.map((record, index) => {
      const { offset, objectSha256 } = written.entries[index]!;
      return { record, packKey: key, offset, objectSha256 };
    });
  }

  private async verify(key: string, written: WrittenPack): Promise<void> {
    if (this.parts.verify === 'full') return verifyWrittenPack(this.parts.store, written);
    await readPackIndex(this.parts.store, key, { uncached: true });
  }
}

interface OpenPack {
  key: string;
  writer: PackWriter;
  records: FilingRecord[];
}

/** The tier that packs are written to. */
export const FILING_TIER = HOT_TIER;
