// Whoever takes the dataset of the message under way: a store, or a drain for a request that is already answered.

export interface DatasetReceiver {
  /** A promise means: send no more until it settles. */
  data(bytes: Buffer): void | Promise<void>;
  end(): void;
  abort(reason: string): void;
}

/** Reads a dataset nobody wants, so that the status can be answered and the association lives on. */
export class DatasetDrain implements DatasetReceiver {
  constructor(private readonly onEnd: () => void) {}

  data(): void {}
  end(): void {
    this.onEnd();
  }
  abort(): void {}
}
