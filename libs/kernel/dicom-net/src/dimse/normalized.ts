// N-ACTION and N-EVENT-REPORT as performer (PS3.7 §10.1.4, §10.1.1): gathers the information, lets the service have it, and turns whatever happens
// into one answer.
import type { DatasetReceiver } from './dataset-receiver.js';
import { DimseFailure } from './dimse-failure.js';
import { IdentifierGatherer } from './identifier-gatherer.js';
import type { NormalizedOutcome } from './normalized-outcome.js';
import { DimseStatus } from './status.js';

export interface NormalizedContext {
  readonly maxInformationBytes: number;
  perform(information: Buffer | null): NormalizedOutcome | Promise<NormalizedOutcome>;
  answer(outcome: NormalizedOutcome): void;
  /** The service does not get to see it. */
  refused(status: number): void;
  /** The service threw something that is not a DimseFailure. */
  failed(error: unknown): void;
}

export class NormalizedReception implements DatasetReceiver {
  readonly #information: IdentifierGatherer;

  constructor(private readonly context: NormalizedContext) {
    this.#information = new IdentifierGatherer(context.maxInformationBytes);
  }

  data(bytes: Buffer): void {
    this.#information.add(bytes);
  }

  end(): void {
    const information = this.#information.take();
    if (information) return void this.perform(information);
    this.context.refused(DimseStatus.resourceLimitation);
    this.context.answer({ status: DimseStatus.resourceLimitation, errorComment: `The information has more than ${this.#information.maxBytes} bytes` });
  }

  abort(): void {
    this.#information.clear();
  }

  async perform(information: Buffer | null): Promise<void> {
    this.context.answer(await this.#outcome(information));
  }

  async #outcome(information: Buffer | null): Promise<NormalizedOutcome> {
    try {
      return await this.context.perform(information);
    } catch (error) {
      if (error instanceof DimseFailure) return { status: error.status, ...(error.errorComment === undefined ? {} : { errorComment: error.errorComment }) };
      this.context.failed(error);
      return { status: DimseStatus.processingFailure };
    }
  }
}
