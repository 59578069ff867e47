// Gathers pieces that belong together by copying them: the memory of a piece is used again for the next read. A sender of
// single bytes costs what it sends and not a kept socket buffer per byte.

const FIRST_CAPACITY_BYTES = 1024;

export class ByteGatherer {
  #single: Buffer | null = null;
  #grown: Buffer | null = null;
  #size = 0;

  get sizeBytes(): number {
    return this.#size;
  }

  add(piece: Buffer): void {
    if (this.#size === 0) this.#single = Buffer.from(piece);
    else this.#append(piece);
    this.#size += piece.length;
  }

  /** What was gathered; the gatherer is empty again. */
  take(): Buffer {
    const all = this.#grown?.subarray(0, this.#size) ?? this.#single ?? Buffer.alloc(0);
    this.clear();
    return all;
  }

  clear(): void {
    this.#single = null;
    this.#grown = null;
    this.#size = 0;
  }

  #append(piece: Buffer): void {
    const needed = this.#size + piece.length;
    if (!this.#grown || this.#grown.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#size, FIRST_CAPACITY_BYTES));
      (this.#grown ?? this.#single)?.copy(larger, 0, 0, this.#size);
      this.#grown = larger;
      this.#single = null;
    }
    piece.copy(this.#grown, this.#size);
  }
}
