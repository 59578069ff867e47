// The words of the job table.

export type Plane = 'control' | 'imaging';
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** What is asked for. */
export interface NewJob {
  queue: string;
  /** While a job with this key is active there is no second one; see JobQueue.enqueue. */
  dedupeKey?: string;
  payload?: unknown;
  /** The larger the earlier; -32768 to 32767, default 0. */
  priority?: number;
  /** Not before; default now. */
  runAt?: Date;
  /** How often it is tried before it counts as failed; default 10. */
  maxAttempts?: number;
}

/** How a job stands, for people and tests. */
export interface JobStatus {
  id: string;
  queue: string;
  dedupeKey: string | null;
  state: JobState;
  priority: number;
  attempts: number;
  runAt: Date;
  payload: unknown;
  cursor: unknown;
  progress: unknown;
  errorCode: string | null;
  error: string | null;
}

/** A job as its runner was given it: id and attempt together are the proof of the lease. */
export interface LeasedJob {
  id: string;
  queue: string;
  attempt: number;
  payload: unknown;
  cursor: unknown;
}
