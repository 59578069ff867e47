// The cap on what codecs allocate. `resourceLimits` of a thread count the heap of JavaScript, not WebAssembly's memory.

export class MemoryCap {
  #isReached = false;

  /** @param limitBytes of each library's memory */
  constructor(private readonly limitBytes: number) {}

  /** Another frame begins. */
  begin(): void {
    this.#isReached = false;
  }

  /** A library wanted more than it may have since the frame began: if it failed, it failed of that. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** @throws RangeError when memory of this size is too much */
  check(bytes: number): void {
    if (bytes <= this.limitBytes) return;
    this.#isReached = true;
    throw new RangeError('The memory of this codec is limited.');
  }

  /** From now on no memory of this thread grows past the limit by `grow`, the way of all libraries whose loader is JavaScript. */
  install(): void {
    // oxlint-disable-next-line typescript/unbound-method -- called with the memory it belongs to
    const { grow } = WebAssembly.Memory.prototype;
    const check = (bytes: number): void => this.check(bytes);
    WebAssembly.Memory.prototype.grow = function (this: WebAssembly.Memory, pages: number): number {
      check(this.buffer.byteLength + pages * PAGE_BYTES);
      return grow.call(this, pages);
    };
  }
}
const PAGE_BYTES = 65_536;
