// Files a group of studies: packs are written and read back one study after the other, then one transaction moves them all (K15 is before
// it). Objects that have gone bad are put aside and the rest is filed; a crash at any point leaves the landing records as they were.
import { CorruptDataError, UnavailableError } from '@perennia/errors';
import { faultPoint } from '@perennia/fault-points';
import type { PlaceReader } from '@perennia/storage';
import { BatchTrace, type Tracing } from '@perennia/telemetry';
import type { CommitFiling, FiledStudy } from './commit-filing.js';
import type { FiledRecord, FilingRecord, FilingStudy } from './filing-record.js';
import type { Quarantine } from './quarantine.js';
import { isReceived } from './read-object.js';
import type { WritePacks } from './write-packs.js';

export interface FileStudiesParts {
  packs: WritePacks;
  committing: CommitFiling;
  quarantine: Quarantine;
  reader: PlaceReader;
  tracing: Tracing;
}

export class FileStudies {
  constructor(private readonly parts: FileStudiesParts) {}

  /** @returns how many objects are in packs now that were not before */
  async file(studies: readonly FilingStudy[]): Promise<number> {
    const { tracing } = this.parts;
    const trace = tracing.enabled ? this.traceOf(studies) : undefined;
    return trace ? trace.run(() => this.fileAll(studies)) : this.fileAll(studies);
  }

  private traceOf(studies: readonly FilingStudy[]): BatchTrace | undefined {
    const records = studies.flatMap((study) => study.records);
    return BatchTrace.begin(this.parts.tracing, {
      name: 'file studies', kind: 'internal', member: 'filed', parents: records.map(({ traceparent }) => traceparent),
      attributes: { 'perennia.studies': studies.length, 'perennia.objects': records.length },
    });
  }

  private async fileAll(studies: readonly FilingStudy[]): Promise<number> {
    const done: FiledStudy[] = [];
    for (const study of studies) done.push({ study, filed: await this.write(study) });
    faultPoint('K15');
    return this.parts.committing.commit(done);
  }

  private async write(study: FilingStudy): Promise<FiledRecord[]> {
    let { records } = study;
    for (;;) {
      if (records.length === 0) return [];
      try {
        return await this.parts.packs.write({ ...study, records });
      } catch (error) {
        if (!(error instanceof CorruptDataError)) throw error;
        const bad = await this.rottenAmong(records, error);
        await this.parts.quarantine.add(bad);
        records = records.filter((record) => !bad.includes(record));
      }
    }
  }

  /** The landing area or the device of the pack: only one that is read again tells which of them is to blame. */
  private async rottenAmong(records: readonly FilingRecord[], error: CorruptDataError): Promise<FilingRecord[]> {
    const named = new Set(error.details['damaged'] as string[] | undefined);
    const bad: FilingRecord[] = [];
    for (const record of records) {
      const { place, receipt: { head } } = record;
      if (named.has(head.receiptId) && !(await isReceived(this.parts.reader, place, head))) bad.push(record);
    }
    if (bad.length > 0) return bad;
    throw new UnavailableError('A pack was not read back as it was written; it was removed and is written again.', {
      cause: error, remedy: 'Look at the disk of the object store if this is reported again.',
    });
  }
}
