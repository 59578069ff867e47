// Makes the catalogue anew from what is stored and nothing else: the indexes of all packs, then the records of the landing areas, on
// the same path as receipts take every day (IndexBatch). Ids follow from UIDs and receipts, so the result equals what was lost; see
// catalogueDigest.
// Order decides what is kept where a SOP Instance UID came twice: packs are written in the order of their ids, a conflict never before
// the instance it contradicts; the landing areas hold what came last.
import type { Receipt } from '@perennia/contracts';
import { ConflictError } from '@perennia/errors';
import type { CatalogueStatistics, ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import type { Landing, LandedRecord, LandingPosition, PlaceReader, StorageTiers } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import { IndexBatch } from '../index-batch.js';
import { InstanceIds, type IncomingInstance } from '../incoming-instance.js';
import { incomingReceipt } from '../incoming-receipt.js';
import { PatientDirectory } from '../patient-directory.js';
import { bareInstances } from './bare-instances.js';
import { listPacks } from './list-packs.js';
import { addCopies } from './add-copies.js';
import { packInstances } from './pack-instances.js';
import { countDisposed } from './count-disposed.js';
import { relocateInstances } from './relocate-instances.js';

export interface RebuildParts {
  imaging: ImagingDatabase;
  control: ControlDatabase;
  statistics: CatalogueStatistics;
  tiers: StorageTiers;
  reader: PlaceReader;
  /** The landing areas of this installation, none of them in use. */
  landings: readonly Landing[];
  clock: Clock;
}
export interface RebuildOptions {
  /** Read every byte: attributes are taken from the objects themselves and digests are verified. Default: the indexes are believed. */
  bare?: boolean;
  onProgress?: (report: Readonly<RebuildReport>) => void;
}
export interface RebuildReport {
  totalPacks: number;
  packs: number;
  landingRecords: number;
  instances: number;
  conflicts: number;
  /** Packs whose index cannot be read or believed: nothing of them is in the catalogue. */
  damagedPacks: string[];
  /** Receipts whose bytes do not match their digest (only found with `bare`). */
  damagedReceipts: string[];
}

const BATCH_RECEIPTS = 2000;

/** @throws ConflictError when the catalogue is not empty: see emptyCatalogue */
export async function rebuildIndex(parts: RebuildParts, options: RebuildOptions = {}): Promise<RebuildReport> {
  const [filled] = await parts.imaging.query('select from imaging.instance limit 1');
  if (filled) throw new ConflictError('The catalogue is not empty.', { remedy: 'Empty it first, or restore into a new database.' });
  return new Rebuild(parts, options).run();
}

/** Forgets what was received; bytes, patients, jobs and progress of the log stay. Nothing may be running. */
export async function emptyCatalogue(imaging: ImagingDatabase): Promise<void> {
  await imaging.query(
    'truncate imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory, imaging.duplicate, imaging.segment, imaging.outbox');
}

class Rebuild {
  private readonly indexer: IndexBatch;
  private readonly report: RebuildReport = { totalPacks: 0, packs: 0, landingRecords: 0, instances: 0, conflicts: 0, damagedPacks: [], damagedReceipts: [] };

  constructor(private readonly parts: RebuildParts, private readonly options: RebuildOptions) {
    // Nobody is told study by study: what listens to changes has to start anew as well.
    this.indexer = new IndexBatch(parts.imaging, new PatientDirectory(parts.control), null, parts.clock);
  }

  async run(): Promise<RebuildReport> {
    const { stores, second } = this.parts.tiers;
    const packs = new Map<string, string[]>();
    for (const [tier, store] of stores) packs.set(tier, await listPacks(store));
    this.report.totalPacks = [...packs.values()].reduce((sum, keys) => sum + keys.length, 0);
    for (const [tier, keys] of packs) if (tier !== second) await this.indexAll(this.read(tier, keys), (known) => relocateInstances(this.parts.imaging, known));
    // What only the second tier has is an instance all the same; the rest are further copies of it.
    if (second !== undefined) await this.indexAll(this.read(second, packs.get(second)!), (known) => addCopies(this.parts.imaging, second, known));
    for (const landing of this.parts.landings) {
      // A record that is in a pack already is disposed of: its segment waits for nothing.
      await this.indexAll(this.landedInstances(landing), (known) => countDisposed(this.parts.imaging, known));
    }
    return this.report;
  }

  private read(tier: string, keys: readonly string[]): AsyncIterable<IncomingInstance> {
    const read = this.options.bare ? bareInstances : packInstances;
    return read({ tier, store: this.parts.tiers.storeOf(tier) }, keys, this.report);
  }

  /** @param whenKnown what to do with receipts whose instance is there already */
  private async indexAll(source: AsyncIterable<IncomingInstance>, whenKnown: (known: readonly IncomingInstance[]) => Promise<void>): Promise<void> {
    let batch: IncomingInstance[] = [];
    const apply = async (): Promise<void> => {
      const { instances, conflicts, known } = await this.indexer.apply(batch);
      batch = [];
      if (known.length > 0) await whenKnown(known);
      this.report.instances += instances;
      this.report.conflicts += conflicts;
      await this.parts.statistics.analyzeWhenGrown(instances);
      this.options.onProgress?.(this.report);
    };
    for await (const incoming of source) if (batch.push(incoming) === BATCH_RECEIPTS) await apply();
    if (batch.length > 0) await apply();
  }

  private async *landedInstances(landing: Landing): AsyncGenerator<IncomingInstance> {
    const ids = new InstanceIds();
    let position: LandingPosition | null = null;
    for (;;) {
      const records: LandedRecord[] = await landing.recordsAfter(position, BATCH_RECEIPTS);
      for (const record of records) {
        this.report.landingRecords += 1;
        yield ids.incoming(incomingReceipt({ ...(JSON.parse(record.receipt.toString()) as Receipt), place: record.place }));
      }
      position = records.at(-1)?.position ?? null;
      if (!position) return;
    }
  }
}
