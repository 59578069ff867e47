// C-STORE as SCP (PS3.7 §9.1.1, PS3.4 Annex B): feeds one sink and turns whatever happens to it into one outcome.
// No promise is made for a fragment that the sink takes synchronously.
import type { DatasetReceiver } from './dataset-receiver.js';
import { DimseFailure } from './dimse-failure.js';
import { DimseStatus } from './status.js';
import type { StoreOutcome, StoreRequest, StoreService, StoreSink } from './store-service.js';

export interface StoreObserver {
  settled(outcome: StoreOutcome): void;
  /** The service threw something that is not a DimseFailure. */
  failed(error: unknown): void;
}

export class StoreReception implements DatasetReceiver {
  #sink: StoreSink | null = null;
  #refusal: StoreOutcome | null = null;
  #ended = false;
  #writing = false;

  constructor(service: StoreService, request: StoreRequest, private readonly observer: StoreObserver) {
    try {
      this.#sink = service.begin(request);
    } catch (error) {
      this.#refuse(error);
    }
  }

  data(bytes: Buffer): void | Promise<void> {
    const sink = this.#sink;
    if (!sink) return;
    try {
      const written = sink.write(bytes);
      if (written !== undefined) return this.#await(written);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  end(): void {
    this.#ended = true;
    if (!this.#writing) this.#finish();
  }

  abort(reason: string): void {
    const sink = this.#sink;
    this.#sink = null;
    if (sink) this.#quietly(() => sink.abort(reason));
  }

  async #await(written: Promise<void>): Promise<void> {
    this.#writing = true;
    try {
      await written;
    } catch (error) {
      if (this.#sink) this.#giveUp(error);
    }
    this.#writing = false;
    if (this.#ended) this.#finish();
  }

  #finish(): void {
    if (this.#refusal) return this.observer.settled(this.#refusal);
    const sink = this.#sink;
    this.#sink = null;
    if (!sink) return;
    try {
      const outcome = sink.end();
      if ('then' in outcome) outcome.then((value) => this.observer.settled(value), (error: unknown) => this.#failEnd(error));
      else this.observer.settled(outcome);
    } catch (error) {
      this.#failEnd(error);
    }
  }

  #failEnd(error: unknown): void {
    this.#refuse(error);
    if (this.#refusal) this.observer.settled(this.#refusal);
  }

  /** A write failed: the sink is told, the rest of the dataset is drained, the failure is the answer. */
  #giveUp(error: unknown): void {
    this.#refuse(error);
    this.abort('a write failed');
  }

  #refuse(error: unknown): void {
    if (error instanceof DimseFailure) {
      this.#refusal = { status: error.status, ...(error.errorComment === undefined ? {} : { errorComment: error.errorComment }) };
      return;
    }
    this.#refusal = { status: DimseStatus.processingFailure };
    this.observer.failed(error);
  }

  #quietly(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.observer.failed(error);
    }
  }
}
