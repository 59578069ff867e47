// One call: up to four attempts with growing pauses under one deadline, as far as budget and breaker let it. The SDK's own repetitions are
// switched off: it counts nothing for a breaker, does not know that a repeated PUT may meet its own success, and repeats no broken body.
import { CancelledError, UnavailableError } from '@perennia/errors';
import { type Clock, SystemClock } from '@perennia/telemetry';
import { CircuitBreaker } from './circuit-breaker.js';
import { RetryBudget } from './retry-budget.js';
import { failureOf, s3Error } from './s3-errors.js';
import type { ResolvedOptions } from './s3-options.js';
import { Slots } from './slots.js';
import { StoreWait } from './store-wait.js';

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** How often the call is made when all its attempts fail; for what costs much to do again. Default once. */
  rounds?: number;
  /** From `deadline`, for calls that have to end together. Default one of its own. */
  deadlineMs?: number;
}

export const MAX_ATTEMPTS = 4;
const MAX_PAUSE_MS = 5000;
/** One who is asked for fewer requests waits longer. */
const THROTTLED_FACTOR = 2;

const DOING: Readonly<Record<string, string | undefined>> = {
  PutObject: 'store an object', CreateMultipartUpload: 'store an object', UploadPart: 'store an object', CompleteMultipartUpload: 'store an object',
  AbortMultipartUpload: 'give up an upload', ListMultipartUploads: 'list uploads', GetObject: 'read an object', HeadObject: 'look at an object',
  ListObjectsV2: 'list objects', ListObjectVersions: 'list versions', DeleteObject: 'remove an object', DeleteObjects: 'remove objects',
};

export class S3Calls {
  readonly clock: Clock;
  readonly breaker: CircuitBreaker;
  private readonly requests: Slots;
  private readonly budget = new RetryBudget();
  private readonly random: () => number;

  constructor(private readonly options: ResolvedOptions) {
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? Math.random;
    this.breaker = new CircuitBreaker(this.clock, options.breakerOpenMs);
    this.requests = new Slots(options.maxConnections);
  }

  /** @throws ArchiveError: what the last attempt met, in our terms */
  async run<T>(operation: string, attempt: (signal: AbortSignal) => Promise<T>, { signal, rounds = 1, deadlineMs = this.deadline() }: CallOptions = {}): Promise<T> {
    if (this.clock.monotonicMs() >= deadlineMs) throw late(operation);
    for (let number = 1; ; number++) {
      const { value, error } = await this.attempt(operation, attempt, deadlineMs, signal);
      if (error === undefined) return value!;
      const failure = failureOf(error);
      const last = number >= MAX_ATTEMPTS * rounds || !failure.retry || this.clock.monotonicMs() >= deadlineMs || !this.budget.take();
      if (last) throw s3Error(error, DOING[operation] ?? operation);
      await this.pause(((number - 1) % MAX_ATTEMPTS) + 1, failure.throttled, signal);
    }
  }

  /** When a call that begins now has to end. */
  deadline(): number {
    return this.clock.monotonicMs() + this.options.callDeadlineMs;
  }

  /** Of one object that is written. */
  newWait(): StoreWait {
    return new StoreWait(this.clock, this.options.callDeadlineMs, this.options.noProgressMs);
  }

  /** Full jitter: anything from nothing up to the growing bound. */
  async pause(number: number, throttled = false, signal?: AbortSignal): Promise<void> {
    const bound = Math.min(MAX_PAUSE_MS, this.options.retryPauseMs * (throttled ? THROTTLED_FACTOR : 1) * 2 ** (number - 1));
    await this.clock.sleep(this.random() * bound, signal);
  }

  /** A body that broke off after its answer had begun well. */
  bodyFailed(operation: string, durationMs: number): void {
    this.options.onRequest?.(operation, 'failed', durationMs);
  }

  private async attempt<T>(operation: string, attempt: (signal: AbortSignal) => Promise<T>, deadlineMs: number, signal?: AbortSignal): Promise<{ value?: T; error?: unknown }> {
    if (signal?.aborted) throw new CancelledError('The request was given up.');
    const release = await this.requests.take();
    try {
      const report = this.breaker.enter();
      const startedMs = this.clock.monotonicMs();
      const aborter = new AbortController();
      const abort = (): void => aborter.abort();
      const timer = setTimeout(abort, Math.max(0, deadlineMs - startedMs));
      signal?.addEventListener('abort', abort, { once: true });
      const done = (outcome: 'ok' | 'refused' | 'failed'): void => {
        report(outcome === 'failed' && signal?.aborted ? undefined : outcome !== 'failed');
        if (outcome !== 'failed') this.budget.succeeded();
        this.options.onRequest?.(operation, outcome, this.clock.monotonicMs() - startedMs);
      };
      try {
        const value = await attempt(aborter.signal);
        done('ok');
        return { value };
      } catch (error) {
        done(failureOf(error).retry ? 'failed' : 'refused');
        if (signal?.aborted) throw new CancelledError('The request was given up.', { cause: error });
        if (aborter.signal.aborted) throw late(operation, error);
        return { error };
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      }
    } finally {
      release();
    }
  }
}

function late(operation: string, cause?: unknown): UnavailableError {
  return new UnavailableError(`The object store did not ${DOING[operation] ?? operation} in time.`, { cause, remedy: 'Look at what the object store is busy with.' });
}
