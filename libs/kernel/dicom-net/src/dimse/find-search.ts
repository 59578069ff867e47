// One C-FIND as SCU (PS3.7 §9.1.2): the matches as they come, then the outcome. Sent when it is first iterated. Answers that
// nobody has taken yet are bounded: above that the association is not read from, so the peer has to wait.
import { ByteGatherer } from '../ul/byte-gatherer.js';
import { type Deferred, deferred } from '../deferred.js';
import type { CommandSet } from './command-set.js';
import type { FindAnswer, FindOutcome } from './find-service.js';
import type { OutstandingOperation } from './outstanding-operations.js';
import { DimseStatus } from './status.js';

/** Above this the association stops reading; one answer may be as large again. */
const MAX_UNTAKEN_BYTES = 1024 * 1024;

/** What a search needs of its association. */
export interface FindAssociation {
  /** Sends the request as soon as the window allows. Gives its message id. */
  begin(search: FindSearch): Promise<number>;
  cancel(messageId: number): void;
  /** Do not read on my account, until `resume`. */
  pause(search: FindSearch): void;
  resume(search: FindSearch): void;
  /** The peer sent what no answer can be. */
  tooLong(): void;
}

export class FindSearch implements AsyncIterable<Required<FindAnswer>, FindOutcome>, OutstandingOperation {
  readonly #identifier = new ByteGatherer();
  #untaken: Required<FindAnswer>[] = [];
  #untakenBytes = 0;
  #messageId = 0;
  #status: 0xff00 | 0xff01 = DimseStatus.pending;
  #outcome: FindOutcome | null = null;
  #failure: Error | null = null;
  #isBegun = false;
  #isCancelled = false;
  /** Nobody takes answers any more. */
  #isLeft = false;
  #news: Deferred<void> | null = null;

  constructor(private readonly association: FindAssociation) {}

  /** Null until the final answer was taken. */
  get outcome(): FindOutcome | null {
    return this.#untaken.length === 0 ? this.#outcome : null;
  }

  /**
   * Once only. Returns the outcome; leaving early cancels. Throws what the association died of, after the answers that came before.
   * A failure status of the peer is an outcome, not an error.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Required<FindAnswer>, FindOutcome> {
    if (this.#isBegun) throw new Error('A search can be iterated only once.');
    this.#isBegun = true;
    if (this.#isCancelled) return (this.#outcome = { status: DimseStatus.cancelled });
    try {
      this.#messageId = await this.association.begin(this);
      if (this.#isCancelled) this.#sendCancel();
      for (;;) {
        const answer = this.#take();
        if (answer) yield answer;
        else if (this.#outcome) return this.#outcome;
        else if (this.#failure) throw this.#failure;
        else await (this.#news = deferred<void>()).promise;
      }
    } finally {
      this.#leave();
    }
  }

  /** Asks the peer to stop; answers that are on their way still come, then the outcome, FE00 if the peer was not faster. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#sendCancel();
  }

  pending(answer: CommandSet): void {
    this.#status = answer.status === DimseStatus.pendingWithUnsupportedKeys ? answer.status : DimseStatus.pending;
    if (!answer.hasDataset) this.dataEnd();
  }

  data(bytes: Buffer): void {
    if (this.#isLeft) return;
    if (this.#identifier.sizeBytes + bytes.length > MAX_UNTAKEN_BYTES) return this.association.tooLong();
    this.#identifier.add(bytes);
  }

  dataEnd(): void {
    const identifier = this.#identifier.take();
    if (this.#isLeft) return;
    this.#untaken.push({ identifier, status: this.#status });
    this.#untakenBytes += identifier.length;
    if (this.#untakenBytes > MAX_UNTAKEN_BYTES) this.association.pause(this);
    this.#tell();
  }

  resolve(answer: CommandSet): void {
    this.#outcome = { status: answer.status, ...(answer.errorComment ? { errorComment: answer.errorComment } : {}) };
    this.#tell();
  }

  reject(error: Error): void {
    this.#failure = error;
    this.#tell();
  }

  get #isOver(): boolean {
    return this.#outcome !== null || this.#failure !== null;
  }

  #sendCancel(): void {
    if (this.#messageId !== 0 && !this.#isOver) this.association.cancel(this.#messageId);
  }

  #take(): Required<FindAnswer> | undefined {
    const answer = this.#untaken.shift();
    if (!answer) return undefined;
    this.#untakenBytes -= answer.identifier.length;
    if (this.#untakenBytes <= MAX_UNTAKEN_BYTES / 2) this.association.resume(this);
    return answer;
  }

  #leave(): void {
    this.#isLeft = true;
    this.#untaken = [];
    this.#untakenBytes = 0;
    this.#identifier.clear();
    this.cancel();
    this.association.resume(this);
  }

  #tell(): void {
    this.#news?.resolve();
    this.#news = null;
  }
}
