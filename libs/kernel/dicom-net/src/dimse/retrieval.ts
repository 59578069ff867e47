// One C-MOVE or C-GET as SCU (PS3.7 §9.1.4, §9.1.3): the numbers of sub-operations as they come, then the outcome. Sent when it is first iterated.
// Of progress that nobody has taken yet the newest is kept.
import { type Deferred, deferred } from '../deferred.js';
import type { CommandSet } from './command-set.js';
import { decodeFailedSopInstances } from './failed-sop-instances.js';
import type { OutstandingOperation } from './outstanding-operations.js';
import type { SubOperations } from './retrieve-service.js';
import { DimseStatus } from './status.js';

/** What the peer says in the end. Numbers that it does not tell are not there. */
export interface RetrievalOutcome extends Partial<SubOperations> {
  readonly status: number;
  readonly failedSopInstanceUids: readonly string[];
  readonly errorComment?: string;
}

/** What a retrieval needs of its association. */
export interface RetrievalAssociation {
  /** Of the context, for what comes with the outcome. */
  readonly transferSyntaxUid: string;
  /** Sends the request as soon as the window allows. Gives its message id. */
  begin(retrieval: Retrieval): Promise<number>;
  cancel(messageId: number): void;
}

const CANCELLED: RetrievalOutcome = { status: DimseStatus.cancelled, failedSopInstanceUids: [] };

export class Retrieval implements AsyncIterable<Partial<SubOperations>, RetrievalOutcome>, OutstandingOperation {
  #messageId = 0;
  #progress: Partial<SubOperations> | null = null;
  #outcome: RetrievalOutcome | null = null;
  #failure: Error | null = null;
  #isBegun = false;
  #isCancelled = false;
  #news: Deferred<void> | null = null;

  constructor(private readonly association: RetrievalAssociation) {}

  /** Null until the final answer has come. */
  get outcome(): RetrievalOutcome | null {
    return this.#outcome;
  }

  /**
   * Once only. Returns the outcome; leaving early cancels. Throws what the association died of. A failure status of the peer is an outcome, not an
   * error.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Partial<SubOperations>, RetrievalOutcome> {
    if (this.#isBegun) throw new Error('A retrieval can be iterated only once.');
    this.#isBegun = true;
    if (this.#isCancelled) return (this.#outcome = CANCELLED);
    try {
      this.#messageId = await this.association.begin(this);
      if (this.#isCancelled) this.#sendCancel();
      for (;;) {
        const progress = this.#progress;
        this.#progress = null;
        if (progress) yield progress;
        else if (this.#outcome) return this.#outcome;
        else if (this.#failure) throw this.#failure;
        else await (this.#news = deferred<void>()).promise;
      }
    } finally {
      this.cancel();
    }
  }

  /** To the end, for who does not care for progress. */
  async finished(): Promise<RetrievalOutcome> {
    const steps = this[Symbol.asyncIterator]();
    for (;;) {
      const next = await steps.next();
      if (next.done) return next.value;
    }
  }

  /** Asks the peer to stop; what is on its way still comes, then the outcome, FE00 if the peer was not faster. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#sendCancel();
  }

  pending(answer: CommandSet): void {
    this.#progress = subOperationsOf(answer);
    this.#tell();
  }

  resolve(answer: CommandSet, dataset: Buffer): void {
    this.#outcome = {
      ...subOperationsOf(answer),
      status: answer.status,
      failedSopInstanceUids: decodeFailedSopInstances(dataset, this.association.transferSyntaxUid),
      ...(answer.errorComment ? { errorComment: answer.errorComment } : {}),
    };
    this.#tell();
  }

  reject(error: Error): void {
    this.#failure = error;
    this.#tell();
  }

  #sendCancel(): void {
    if (this.#messageId !== 0 && !this.#outcome && !this.#failure) this.association.cancel(this.#messageId);
  }

  #tell(): void {
    this.#news?.resolve();
    this.#news = null;
  }
}

function subOperationsOf(answer: CommandSet): Partial<SubOperations> {
  const { remainingSubOperations: remaining, completedSubOperations: completed, failedSubOperations: failed, warningSubOperations: warning } = answer;
  return Object.fromEntries(Object.entries({ remaining, completed, failed, warning }).filter(([, number]) => number >= 0));
}
