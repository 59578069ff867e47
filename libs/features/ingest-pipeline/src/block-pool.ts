// Memory for bytes that were received and are not durable yet: blocks that are used again and again. Fresh memory for every read costs a
// page fault per 4 KiB and, being outside of its heap, drives the collector of V8 into full collections.
import type { ByteBudget } from './byte-budget.js';

/** The first block of an object: most small objects are whole in it. */
export const SMALL_BLOCK_BYTES = 16 * 1024;
export const LARGE_BLOCK_BYTES = 256 * 1024;
/** Of large blocks that nobody uses; what exceeds it goes back to the system. */
const SPARE_LIMIT_BYTES = 8 * 1024 * 1024;
const SPARE_SMALL_BLOCKS = 256;

export class BlockPool {
  private readonly small: Buffer[] = [];
  private readonly large: Buffer[] = [];

  constructor(private readonly budget: ByteBudget) {}

  /** @returns the block, and a promise when the caller must wait before it reads on */
  take(sizeBytes: typeof SMALL_BLOCK_BYTES | typeof LARGE_BLOCK_BYTES): { block: Buffer; wait: Promise<void> | undefined } {
    const spare = sizeBytes === SMALL_BLOCK_BYTES ? this.small : this.large;
    return { block: spare.pop() ?? Buffer.allocUnsafeSlow(sizeBytes), wait: this.budget.take(sizeBytes) };
  }

  /** Nobody may read or write the block after this. */
  give(block: Buffer): void {
    this.budget.give(block.length);
    if (block.length === SMALL_BLOCK_BYTES) {
      if (this.small.length < SPARE_SMALL_BLOCKS) this.small.push(block);
    } else if (this.large.length < SPARE_LIMIT_BYTES / LARGE_BLOCK_BYTES) this.large.push(block);
  }
}
