// C-FIND as SCP (PS3.7 §9.1.2, PS3.4 §C.4.1.3): gathers the identifier, lets the service search, streams its matches, and turns
// whatever happens into one final answer. A cancelled search is answered at once, however long the service takes to notice.
import type { AnswerStream, StreamedOperation } from './answer-stream.js';
import type { DatasetReceiver } from './dataset-receiver.js';
import { DimseFailure } from './dimse-failure.js';
import type { FindAnswer, FindOutcome, FindRequest, FindService } from './find-service.js';
import { IdentifierGatherer } from './identifier-gatherer.js';
import { DimseStatus, statusCategory } from './status.js';

const SUCCESS: FindOutcome = { status: DimseStatus.success };
const UNABLE: FindOutcome = { status: DimseStatus.unableToProcess };

export interface FindContext {
  readonly service: FindService;
  readonly request: Omit<FindRequest, 'signal'>;
  readonly maxIdentifierBytes: number;
  /** Where the answers of this operation go. */
  stream(operation: StreamedOperation): AnswerStream;
  /** The service does not get to see it. */
  refused(status: number): void;
  /** The service threw something that is not a DimseFailure. */
  failed(error: unknown): void;
}

export class FindReception implements DatasetReceiver, StreamedOperation {
  readonly #identifier: IdentifierGatherer;
  readonly #cancellation = new AbortController();
  readonly #answers: AnswerStream;
  #matches: AsyncIterator<FindAnswer, FindOutcome | void> | null = null;
  #isOver = false;

  constructor(private readonly context: FindContext) {
    this.#identifier = new IdentifierGatherer(context.maxIdentifierBytes);
    this.#answers = context.stream(this);
  }

  data(bytes: Buffer): void {
    if (!this.#isOver) this.#identifier.add(bytes);
  }

  end(): void {
    if (this.#isOver) return;
    const identifier = this.#identifier.take();
    if (identifier) return void this.#perform(identifier);
    this.context.refused(UNABLE.status);
    this.#finish({ ...UNABLE, errorComment: `The identifier has more than ${this.context.maxIdentifierBytes} bytes` });
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#stop();
    this.#answers.finish(DimseStatus.cancelled);
  }

  abort(): void {
    if (this.#isOver) return;
    this.#stop();
    this.#answers.close();
  }

  async #perform(identifier: Buffer): Promise<void> {
    const outcome = await this.#search(identifier);
    if (!this.#isOver) this.#finish(outcome);
  }

  async #search(identifier: Buffer): Promise<FindOutcome> {
    try {
      const request = { ...this.context.request, signal: this.#cancellation.signal };
      const matches = this.context.service.find(request, identifier)[Symbol.asyncIterator]();
      this.#matches = matches;
      for (;;) {
        const next = await matches.next();
        if (next.done) return this.#checked(next.value ?? SUCCESS);
        const room = this.#answers.pending(next.value.status ?? DimseStatus.pending, next.value.identifier);
        if (room) await room;
        // Whoever stopped it has called `return`, and has given the answer if there is one.
        if (this.#isOver) return UNABLE;
      }
    } catch (error) {
      return this.#outcomeOf(error);
    }
  }

  #checked(outcome: FindOutcome): FindOutcome {
    if (statusCategory(outcome.status) === 'pending') throw new RangeError('The outcome of a search cannot be pending.');
    return outcome;
  }

  #outcomeOf(error: unknown): FindOutcome {
    // A search that was stopped may fail as it likes: that is how most of them stop.
    if (this.#isOver) return UNABLE;
    if (error instanceof DimseFailure && statusCategory(error.status) !== 'pending') {
      return { status: error.status, ...(error.errorComment === undefined ? {} : { errorComment: error.errorComment }) };
    }
    this.context.failed(error);
    return UNABLE;
  }

  #finish(outcome: FindOutcome): void {
    this.#isOver = true;
    this.#answers.finish(outcome.status, outcome.errorComment);
  }

  #stop(): void {
    this.#isOver = true;
    this.#identifier.clear();
    this.#cancellation.abort();
    void this.#leave();
  }

  async #leave(): Promise<void> {
    try {
      await this.#matches?.return?.();
    } catch (error) {
      this.context.failed(error);
    }
  }
}
