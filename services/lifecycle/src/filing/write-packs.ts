// Writes the packs of one study and reads them back: what this gives out stands on the device as it was received. A pack without rows
// that refer to it is no harm: a crash leaves one, and the sweep finds it.
import { CorruptDataError } from '@perennia/errors';
import { PackWriter, packKey, readPackIndex, verifyWrittenPack, type ObjectStore, type PlaceReader, type StorageTiers, type WrittenPack } from '@perennia/storage';
import { v7 as uuidv7 } from 'uuid';
import type { FiledRecord, FilingRecord, FilingStudy } from './filing-record.js';
import { readObjects } from './read-object.js';

export interface WritePacksParts {
  tiers: StorageTiers;
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
      for (const written of new Map(filed.map((each) => [each.packKey, each.tier]))) await this.parts.tiers.storeOf(written[1]).delete(written[0]);
      throw error;
    }
  }

  private async open(study: FilingStudy): Promise<OpenPack> {
    // The id tells the time: packs sort in the order in which they were begun.
    const key = packKey(study.tenantId, study.studyInstanceUid, uuidv7());
    const tier = this.parts.tiers.hotOf(study.tenantId);
    return { tier, key, writer: new PackWriter(await this.parts.tiers.storeOf(tier).create(key)), records: [] };
  }

  private async finish({ tier, key, writer, records }: OpenPack): Promise<FiledRecord[]> {
    const written = await writer.commit();
    const store = this.parts.tiers.storeOf(tier);
    try {
      await this.verify(store, key, written);
    } catch (error) {
      if (error instanceof CorruptDataError) await store.delete(key);
      throw error;
    }
    return records.map((record, index) => {
      const { offset, objectSha256 } = written.entries[index]!;
      return { record, tier, packKey: key, offset, objectSha256 };
    });
  }

  private async verify(store: ObjectStore, key: string, written: WrittenPack): Promise<void> {
    if (this.parts.verify === 'full') return verifyWrittenPack(store, written);
    await readPackIndex(store, key, { uncached: true });
  }
}

interface OpenPack {
  tier: string;
  key: string;
  writer: PackWriter;
  records: FilingRecord[];
}
