// C-MOVE and C-GET as SCP (PS3.7 §9.1.4, §9.1.3; PS3.4 §C.4.2.3, §C.4.3.3): gathers the identifier, lets the service retrieve, tells the peer of the
// progress at a bounded rate, and turns whatever happens into one final answer.
import type { TimerHandle, TimerSource } from '../ul/timer-source.js';
import type { AnswerStream, StreamedOperation } from './answer-stream.js';
import type { DatasetReceiver } from './dataset-receiver.js';
import { DimseFailure } from './dimse-failure.js';
import { encodeFailedSopInstances } from './failed-sop-instances.js';
import { IdentifierGatherer } from './identifier-gatherer.js';
import type { RetrieveOutcome, SubOperations } from './retrieve-service.js';
import { DimseStatus, statusCategory } from './status.js';
import { statusOfSubOperations } from './sub-operations-status.js';

export interface RetrieveLimits {
  readonly maxIdentifierBytes: number;
  readonly pendingIntervalMs: number;
  readonly cancelGraceMs: number;
}

export interface RetrieveContext {
  readonly transferSyntaxUid: string;
  readonly limits: RetrieveLimits;
  readonly timers: TimerSource;
  /** The service begins. */
  retrieve(identifier: Buffer, signal: AbortSignal): AsyncIterable<SubOperations, RetrieveOutcome>;
  /** Where the answers of this operation go. */
  stream(operation: StreamedOperation): AnswerStream;
  /** The service does not get to see it. */
  refused(status: number): void;
  /** The service threw something that is not a DimseFailure. */
  failed(error: unknown): void;
}

/** What is known of an outcome: a service that throws may not have counted anything. */
type KnownOutcome = Partial<RetrieveOutcome>;

export class RetrieveReception implements DatasetReceiver, StreamedOperation {
  readonly isLong = true;
  readonly #identifier: IdentifierGatherer;
  readonly #cancellation = new AbortController();
  readonly #answers: AnswerStream;
  #steps: AsyncIterator<SubOperations, RetrieveOutcome> | null = null;
  #progress: SubOperations | null = null;
  /** While it runs nothing is told. */
  #interval: TimerHandle | null = null;
  #isNews = false;
  #grace: TimerHandle | null = null;
  #isOver = false;

  constructor(private readonly context: RetrieveContext) {
    this.#identifier = new IdentifierGatherer(context.limits.maxIdentifierBytes);
    this.#answers = context.stream(this);
  }

  /** A sub-operation on the same association, while the retrieval goes on. */
  invoke<T>(subOperation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#cancellation;
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#isOver) return Promise.reject(new Error('The retrieval is over.'));
    return subOperation(signal);
  }

  data(bytes: Buffer): void {
    if (!this.#isOver) this.#identifier.add(bytes);
  }

  end(): void {
    if (this.#isOver) return;
    const identifier = this.#identifier.take();
    if (identifier) return void this.#perform(identifier);
    this.context.refused(DimseStatus.unableToProcess);
    this.#finish({ status: DimseStatus.unableToProcess, errorComment: `The identifier has more than ${this.#identifier.maxBytes} bytes` });
  }

  cancel(): void {
    if (this.#isOver || this.#isCancelled) return;
    this.#cancellation.abort();
    this.#grace = this.context.timers.schedule(this.context.limits.cancelGraceMs, () => {
      this.#finish(this.#progress ?? {});
      void this.#leave();
    });
  }

  abort(): void {
    if (this.#isOver) return;
    this.#close();
    this.#identifier.clear();
    this.#cancellation.abort();
    this.#answers.close();
    void this.#leave();
  }

  get #isCancelled(): boolean {
    return this.#cancellation.signal.aborted;
  }

  async #perform(identifier: Buffer): Promise<void> {
    const outcome = await this.#retrieve(identifier);
    if (!this.#isOver) this.#finish(outcome);
  }

  async #retrieve(identifier: Buffer): Promise<KnownOutcome> {
    try {
      const steps = this.context.retrieve(identifier, this.#cancellation.signal)[Symbol.asyncIterator]();
      this.#steps = steps;
      for (;;) {
        const next = await steps.next();
        if (next.done) return this.#checked(next.value);
        if (this.#isOver) return {};
        this.#progressed(next.value);
      }
    } catch (error) {
      return this.#outcomeOf(error);
    }
  }

  #checked(outcome: RetrieveOutcome): RetrieveOutcome {
    if (outcome.status !== undefined && statusCategory(outcome.status) === 'pending') throw new RangeError('The outcome of a retrieval cannot be pending.');
    return outcome;
  }

  /** The progress before is what is known; a retrieval that was stopped may fail as it likes: that is how most of them stop. */
  #outcomeOf(error: unknown): KnownOutcome {
    const known = this.#progress ?? {};
    if (this.#isOver || this.#isCancelled) return known;
    if (error instanceof DimseFailure && statusCategory(error.status) !== 'pending') {
      return { ...known, status: error.status, ...(error.errorComment === undefined ? {} : { errorComment: error.errorComment }) };
    }
    this.context.failed(error);
    return { ...known, status: DimseStatus.unableToProcess };
  }

  #progressed(progress: SubOperations): void {
    this.#progress = progress;
    this.#isNews = true;
    if (!this.#interval) this.#tell();
  }

  #tell(): void {
    this.#interval = null;
    if (!this.#isNews || !this.#progress) return;
    this.#isNews = false;
    this.#answers.progress(this.#progress);
    this.#interval = this.context.timers.schedule(this.context.limits.pendingIntervalMs, () => this.#tell());
  }

  /** Remaining sub-operations are told of a cancelled retrieval only (PS3.4 §C.4.2.1.6). */
  #finish({ completed, failed, warning, remaining, failedSopInstanceUids = [], ...outcome }: KnownOutcome): void {
    this.#close();
    const counts = completed === undefined ? null : { completed, failed: failed ?? 0, warning: warning ?? 0 };
    const status = this.#isCancelled ? DimseStatus.cancelled : outcome.status ?? (counts ? statusOfSubOperations(counts) : DimseStatus.success);
    const subOperations = this.#isCancelled && remaining !== undefined ? { remaining, ...counts } : counts ?? {};
    const list = status !== DimseStatus.success && failedSopInstanceUids.length > 0;
    const dataset = list ? encodeFailedSopInstances(failedSopInstanceUids, this.context.transferSyntaxUid) : null;
    this.#answers.conclude({ status, subOperations, ...(outcome.errorComment ? { errorComment: outcome.errorComment } : {}) }, dataset);
  }

  #close(): void {
    this.#isOver = true;
    this.#interval?.cancel();
    this.#grace?.cancel();
  }

  async #leave(): Promise<void> {
    try {
      await this.#steps?.return?.();
    } catch (error) {
      this.context.failed(error);
    }
  }
}
