// What a handler has of its job: the payload, where to go on, a signal to stop, and checkpoints.
import { CancelledError, ConflictError } from '@perennia/errors';
import type { SqlRunner } from '@perennia/persistence';
import type { LeasedJob } from './job.js';

/** @returns the row's cancel flag, or undefined when the lease is lost */
export type SaveCursor = (sql: SqlRunner | undefined, job: LeasedJob, cursor: unknown, progress: unknown) => Promise<{ cancelRequested: boolean } | undefined>;

export class RunningJob<Payload = unknown, Cursor = unknown> {
  private readonly stopping = new AbortController();

  constructor(private readonly leased: LeasedJob, private readonly save: SaveCursor) {}

  get id(): string {
    return this.leased.id;
  }
  get attempt(): number {
    return this.leased.attempt;
  }
  get payload(): Payload {
    return this.leased.payload as Payload;
  }
  /** Where the last attempt came to, or null. */
  get cursor(): Cursor | null {
    return this.leased.cursor as Cursor | null;
  }
  /** Aborts when the job is cancelled, its lease is lost, or the process is stopping; its reason is the error to throw. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /**
   * Remembers how far the job is. Given the transaction of the step it stands for, step and cursor commit together, and a
   * runner that lost its lease cannot commit the step.
   * @throws ConflictError when the lease is lost; CancelledError when it was cancelled or the process is stopping
   */
  async checkpoint(cursor: Cursor, progress?: unknown, sql?: SqlRunner): Promise<void> {
    this.signal.throwIfAborted();
    const row = await this.save(sql, this.leased, cursor, progress);
    if (!row) throw this.stop(new ConflictError(`Job ${this.id} is run by somebody else now.`));
    // In the caller's transaction throwing would undo the step just done: the heartbeat will tell.
    if (row.cancelRequested && sql === undefined) throw this.stop(new CancelledError(`Job ${this.id} was cancelled.`));
    this.leased.cursor = cursor;
    if (sql === undefined) this.signal.throwIfAborted();
  }

  /** For the runner. @returns the reason */
  stop(reason: Error): Error {
    this.stopping.abort(reason);
    return reason;
  }
}
