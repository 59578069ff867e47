// Writes how jobs ended: whatever has gathered while the last statement ran goes into the next one.
import { ArchiveError } from '@perennia/errors';
import type { ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import type { Clock, Logger } from '@perennia/telemetry';
import { finishJobs } from './sql/finish-jobs.js';

export interface JobOutcome {
  id: string;
  attempt: number;
  /** `queued`: another attempt. */
  state: 'done' | 'failed' | 'cancelled' | 'queued';
  /** Whether the attempt counts; not when it was interrupted by a stop. */
  counts: boolean;
  delay_ms?: number;
  error_code?: string;
  error?: string;
}

const RETRIES = 5;
const RETRY_MS = 500;

export class OutcomeWriter {
  private readonly statement: string;
  private gathered: JobOutcome[] = [];
  private writing: Promise<void> | null = null;

  constructor(private readonly database: ControlDatabase | ImagingDatabase, private readonly owner: string, private readonly clock: Clock, private readonly log: Logger) {
    this.statement = finishJobs(database.plane);
  }

  /** Resolves when it is written, or given up: then the lease ends by itself and the job runs again. */
  write(outcome: JobOutcome): Promise<void> {
    this.gathered.push(outcome);
    return (this.writing ??= this.run());
  }

  async drain(): Promise<void> {
    await this.writing;
  }

  private async run(): Promise<void> {
    while (this.gathered.length > 0) {
      const batch = this.gathered;
      this.gathered = [];
      await this.writeBatch(batch);
    }
    this.writing = null;
  }

  private async writeBatch(batch: readonly JobOutcome[]): Promise<void> {
    const rows = JSON.stringify(batch.map((outcome) => ({ delay_ms: 0, ...outcome })));
    for (let attempt = 1; ; attempt++) {
      try {
        await this.database.query(this.statement, [this.owner, rows]);
        return;
      } catch (error) {
        const retriable = error instanceof ArchiveError && error.retriable;
        if (!retriable || attempt >= RETRIES) {
          this.log.error({ jobs: batch.length, code: error instanceof ArchiveError ? error.code : 'UNEXPECTED' }, 'The end of jobs could not be written; they run again');
          return;
        }
        await this.clock.sleep(RETRY_MS);
      }
    }
  }
}
