// Keeps the planner's statistics of the catalogue in step with its growth. On a fresh database the first autoanalyze comes too
// late: without statistics filing read whole indexes for each update and collapsed. Parents of partitions are never analysed
// by autovacuum at all.
import type { ImagingDatabase } from './database.js';

const TABLES = 'imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory, imaging.duplicate';
const FIRST_ROWS = 500;
/** Analysed again when the catalogue has grown by this factor … */
const FACTOR = 4;
/** … but after this many instances at the latest. */
const LONGEST_STEP_ROWS = 2_000_000;

export class CatalogueStatistics {
  private known: Promise<number> | null = null;
  private rows = 0;
  private analysedRows = 0;
  private running = false;

  constructor(private readonly database: ImagingDatabase) {}

  /**
   * To be called after each committed batch, outside its transaction; need not be awaited (a failure is the caller's to log).
   * @param addedInstances rows of `instance` that the batch added. @returns whether the tables were analysed
   */
  async analyzeWhenGrown(addedInstances: number): Promise<boolean> {
    this.rows += addedInstances;
    this.analysedRows = Math.max(this.analysedRows, await (this.known ??= this.analysedBefore()));
    const step = Math.min(LONGEST_STEP_ROWS, Math.max(FIRST_ROWS, this.analysedRows * (FACTOR - 1)));
    if (this.running || this.rows < step) return false;
    this.running = true;
    const covered = this.rows;
    try {
      await this.database.query(`analyze ${TABLES}`);
      this.rows -= covered;
      this.analysedRows += covered;
      return true;
    } finally {
      this.running = false;
    }
  }

  /** Instances that the last statistics of the parent table know of; 0: never analysed. */
  private async analysedBefore(): Promise<number> {
    const [row] = await this.database.query<{ rows: number }>(`select greatest(reltuples, 0)::bigint as rows from pg_class where oid = 'imaging.instance'::regclass`);
    return row!.rows;
  }
}
