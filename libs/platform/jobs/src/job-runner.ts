// Runs the jobs of one plane in this process. Each is run by one runner at a time, under a lease that is renewed while it
// runs; when a runner dies the lease ends and another one goes on at the job's cursor. Handlers must be idempotent from one
// checkpoint to the next.
import { randomUUID } from 'node:crypto';
import { ArchiveError, CancelledError, ConflictError } from '@perennia/errors';
import type { ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import { WakeUp, type Clock, type Logger, type Metrics } from '@perennia/telemetry';
import type { LeasedJob } from './job.js';
import { OutcomeWriter, type JobOutcome } from './outcome-writer.js';
import { RunningJob } from './running-job.js';
import { extendLeases } from './sql/extend-leases.js';
import { requeueExpiredJobs } from './sql/requeue-expired-jobs.js';
import { saveCursor } from './sql/save-cursor.js';
import { takeJobs } from './sql/take-jobs.js';

export type JobHandler = (job: RunningJob<never, never>) => Promise<void>;
export interface QueueOptions {
  /** Jobs of the queue that run at the same time in this process. Default 1. */
  concurrency?: number;
}
export interface JobRunnerOptions {
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** A dead runner's jobs go on after this. Default 15 s; renewed after a third of it. */
  leaseMs?: number;
  /** How often is looked for jobs that other processes enqueued or that become due. Default 500 ms. */
  pollMs?: number;
}

interface Queue {
  handler: JobHandler;
  concurrency: number;
  running: number;
}
const SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800];
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 300_000;

export class JobRunner {
  private readonly owner = randomUUID();
  private readonly queues = new Map<string, Queue>();
  private readonly running = new Map<RunningJob, { leased: LeasedJob; finished: Promise<void> }>();
  private readonly outcomes: OutcomeWriter;
  private readonly statements;
  private readonly wakeUp: WakeUp;
  private readonly finishedJobs;
  private readonly seconds;
  private readonly leaseMs: number;
  private readonly pollMs: number;
  private stopping = new AbortController();
  private loops: Promise<unknown> | null = null;

  constructor(private readonly database: ControlDatabase | ImagingDatabase, private readonly options: JobRunnerOptions) {
    const { plane } = database;
    const { metrics, clock, log } = options;
    this.leaseMs = options.leaseMs ?? 15_000;
    this.pollMs = options.pollMs ?? 500;
    this.statements = { take: takeJobs(plane), requeue: requeueExpiredJobs(plane), extend: extendLeases(plane), save: saveCursor(plane) };
    this.outcomes = new OutcomeWriter(database, this.owner, clock, log);
    this.wakeUp = new WakeUp(clock);
    this.finishedJobs = metrics.counter('vna_jobs_total', 'Runs of jobs by how they ended', ['plane', 'queue', 'outcome']);
    this.seconds = metrics.histogram('vna_job_seconds', 'Duration of a run of a job', SECONDS, ['plane', 'queue']);
  }

  /** Names the handler of a queue; before `start`. */
  handle<Payload = unknown, Cursor = unknown>(queue: string, handler: (job: RunningJob<Payload, Cursor>) => Promise<void>, { concurrency = 1 }: QueueOptions = {}): this {
    this.queues.set(queue, { handler: handler as unknown as JobHandler, concurrency, running: 0 });
    return this;
  }

  start(): void {
    this.stopping = new AbortController();
    this.loops ??= Promise.all([this.takeLoop(), this.heartbeatLoop()]);
  }

  /** To be called after jobs were enqueued in this process. */
  wake(): void {
    this.wakeUp.wake();
  }

  /** Interrupts what runs (its attempt does not count) and resolves when all handlers have ended and that is written. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wakeUp.wake();
    for (const job of this.running.keys()) job.stop(new CancelledError('The process is stopping.'));
    await this.loops;
    this.loops = null;
    await Promise.all([...this.running.values()].map(({ finished }) => finished));
    await this.outcomes.drain();
  }

  private async takeLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.requeueExpired();
        for (const [name, queue] of this.queues) await this.fill(name, queue);
      } catch (error) {
        this.options.log.warn({ plane: this.database.plane, code: codeOf(error) }, 'Jobs could not be taken; tried again shortly');
      }
      if (!this.stopping.signal.aborted) await this.wakeUp.wait(this.pollMs);
    }
  }

  private async requeueExpired(): Promise<void> {
    const expired = await this.database.query<{ id: string; queue: string }>(this.statements.requeue, [[...this.queues.keys()]]);
    for (const { id, queue } of expired) this.options.log.warn({ job: id, queue }, 'A job was left behind by its runner');
  }

  private async fill(name: string, queue: Queue): Promise<void> {
    const free = queue.concurrency - queue.running;
    if (free <= 0) return;
    const taken = await this.database.prepared<LeasedJob>(this.statements.take, [name, free, this.owner, this.leaseMs]);
    for (const leased of taken) this.run(leased, queue);
  }

  private run(leased: LeasedJob, queue: Queue): void {
    const job = new RunningJob(leased, async (sql = this.database, { id, attempt }, cursor, progress) => {
      const [row] = await sql.query<{ cancelRequested: boolean }>(this.statements.save, [
        this.owner, id, attempt, JSON.stringify(cursor), progress === undefined ? null : JSON.stringify(progress)]);
      return row;
    });
    queue.running++;
    const finished = this.attempt(job, leased, queue).finally(() => {
      queue.running--;
      this.running.delete(job);
      this.wakeUp.wake();
    });
    this.running.set(job, { leased, finished });
  }

  private async attempt(job: RunningJob, leased: LeasedJob, queue: Queue): Promise<void> {
    const labels = { plane: this.database.plane, queue: leased.queue };
    const end = this.seconds.startTimer(labels);
    const outcome = await queue.handler(job as RunningJob<never, never>).then(
      (): JobOutcome => ({ id: leased.id, attempt: leased.attempt, state: 'done', counts: true }),
      (error: unknown) => this.failure(leased, error),
    );
    end();
    this.finishedJobs.inc({ ...labels, outcome: outcome.state === 'queued' ? 'again' : outcome.state });
    await this.outcomes.write(outcome);
  }

  private failure({ id, attempt, queue }: LeasedJob, error: unknown): JobOutcome {
    const { aborted } = this.stopping.signal;
    if (aborted && error instanceof CancelledError) return { id, attempt, state: 'queued', counts: false };
    if (error instanceof CancelledError) return { id, attempt, state: 'cancelled', counts: true };
    const code = codeOf(error);
    this.options.log.warn({ job: id, queue, attempt, code }, 'A run of a job failed');
    // A foreign error's message may hold values of patients: only its kind is kept.
    const text = error instanceof ArchiveError ? error.message : `Unexpected: ${error instanceof Error ? error.name : typeof error}.`;
    const hopeless = error instanceof ArchiveError && !error.retriable;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
    return { id, attempt, state: hopeless ? 'failed' : 'queued', counts: true, delay_ms: delayMs, error_code: code, error: text };
  }

  private async heartbeatLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.options.clock.sleep(this.leaseMs / 3, this.stopping.signal);
      if (this.running.size > 0) await this.heartbeat().catch((error: unknown) => this.options.log.warn({ code: codeOf(error) }, 'Leases of jobs could not be renewed'));
    }
  }

  private async heartbeat(): Promise<void> {
    const held = [...this.running].map(([job, { leased }]) => ({ job, leased }));
    const rows = await this.database.query<{ id: string; cancelRequested: boolean }>(this.statements.extend, [
      this.owner, held.map(({ leased }) => leased.id), held.map(({ leased }) => leased.attempt), this.leaseMs]);
    const kept = new Map(rows.map((row) => [row.id, row]));
    for (const { job, leased } of held) {
      const row = kept.get(leased.id);
      if (!row && this.running.has(job)) job.stop(new ConflictError(`Job ${leased.id} is run by somebody else now.`));
      else if (row?.cancelRequested) job.stop(new CancelledError(`Job ${leased.id} was cancelled.`));
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof ArchiveError ? error.code : 'UNEXPECTED';
}
