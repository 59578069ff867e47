// Work that must be done, kept as rows of a plane: enqueued in the caller's transaction, done by a JobRunner of any process.
import { NotFoundError } from '@perennia/errors';
import type { ControlDatabase, ImagingDatabase, SqlRunner } from '@perennia/persistence';
import type { JobState, JobStatus, NewJob } from './job.js';
import { cancelJob } from './sql/cancel-job.js';
import { enqueueJobs } from './sql/enqueue-jobs.js';
import { purgeJobs } from './sql/purge-jobs.js';
import { readJobs } from './sql/read-jobs.js';

const PURGE_AT_ONCE = 10_000;

export class JobQueue {
  private readonly statements;

  constructor(private readonly database: ControlDatabase | ImagingDatabase) {
    const { plane } = database;
    this.statements = { enqueue: enqueueJobs(plane), cancel: cancelJob(plane), read: readJobs(plane), purge: purgeJobs(plane) };
  }

  /**
   * Adds jobs with one statement. One whose key is active already is not doubled: it is brought forward, gets this payload,
   * and runs once more if it is running now.
   * @param sql the caller's transaction where the jobs belong to a change. @returns their ids (not in the order of `jobs`)
   */
  async enqueue(jobs: readonly NewJob[], sql: SqlRunner = this.database): Promise<string[]> {
    if (jobs.length === 0) return [];
    // The last of several with one key: a statement cannot touch a row twice.
    const distinct = new Map(jobs.map((job, index) => [job.dedupeKey === undefined ? String(index) : `${job.queue}\n${job.dedupeKey}`, job]));
    const rows = [...distinct.values()].map((job) => ({
      queue: job.queue, dedupe_key: job.dedupeKey, payload: job.payload, priority: job.priority, run_at: job.runAt, max_attempts: job.maxAttempts,
    }));
    const enqueued = await sql.query<{ id: string }>(this.statements.enqueue, [JSON.stringify(rows)]);
    return enqueued.map(({ id }) => id);
  }

  /** A queued job ends at once, a running one at its next checkpoint or heartbeat. @throws NotFoundError when it is not active */
  async cancel(id: string): Promise<void> {
    const cancelled = await this.database.query(this.statements.cancel, [id]);
    if (cancelled.length === 0) throw new NotFoundError(`There is no active job ${id}.`);
  }

  /** @throws NotFoundError */
  async status(id: string): Promise<JobStatus> {
    const [job] = await this.database.query<JobStatus>(this.statements.read, [id, null, null, 1]);
    if (!job) throw new NotFoundError(`There is no job ${id}.`);
    return job;
  }

  /** Newest first. */
  list(filter: { queue?: string; state?: JobState; limit?: number } = {}): Promise<JobStatus[]> {
    return this.database.query<JobStatus>(this.statements.read, [null, filter.queue ?? null, filter.state ?? null, filter.limit ?? 100]);
  }

  /** Removes finished jobs older than `days`, a bounded number at a time. @returns how many */
  async purge(days: number): Promise<number> {
    const purged = await this.database.query(this.statements.purge, [days, PURGE_AT_ONCE]);
    return purged.length;
  }
}
