// A buffer that grows with the bytes that have arrived, never by a length that was declared.

export class GrowingBytes {
  private buffer: Buffer = Buffer.allocUnsafe(256);
  private used = 0;

  /** The bytes so far are `[0, length)` of `bytes`, until the next `append` or `clear`. */
  get bytes(): Buffer {
    return this.buffer;
  }
  get length(): number {
    return this.used;
  }

  clear(): void {
    this.used = 0;
  }

  append(source: Buffer, start: number, end: number): void {
    const needed = this.used + end - start;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length));
      this.buffer.copy(larger, 0, 0, this.used);
      this.buffer = larger;
    }
    source.copy(this.buffer, this.used, start, end);
    this.used = needed;
  }
}
