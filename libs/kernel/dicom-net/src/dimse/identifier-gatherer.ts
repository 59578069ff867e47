// Gathers a dataset that must be had whole, up to a bound: what is longer is read to its end and forgotten.
import { ByteGatherer } from '../ul/byte-gatherer.js';

export class IdentifierGatherer {
  readonly #bytes = new ByteGatherer();
  #isTooLong = false;

  constructor(readonly maxBytes: number) {}

  add(bytes: Buffer): void {
    if (this.#isTooLong) return;
    if (this.#bytes.sizeBytes + bytes.length <= this.maxBytes) return this.#bytes.add(bytes);
    this.#isTooLong = true;
    this.#bytes.clear();
  }

  /** Null when it was too long. */
  take(): Buffer | null {
    return this.#isTooLong ? null : this.#bytes.take();
  }

  clear(): void {
    this.#bytes.clear();
  }
}
