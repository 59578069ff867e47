// Memory for bytes that were received and are not durable yet: blocks that are used again and again. Fresh memory for every read costs a
// page fault per 4 KiB and, being outside of its heap, drives the collector of V8 into full collections. Most blocks are cut from two large
// pieces, from which the landing area writes without copying them.
import type { ByteBudget } from './byte-budget.js';

/** The first block of an object: most small objects are whole in it. */
export const SMALL_BLOCK_BYTES = 16 * 1024;
export const LARGE_BLOCK_BYTES = 256 * 1024;
/** How many blocks stay; what is used beyond them goes back to the system. */
const SMALL_BLOCKS = 256;
const LARGE_BLOCKS = 32;

type BlockBytes = typeof SMALL_BLOCK_BYTES | typeof LARGE_BLOCK_BYTES;

export class BlockPool {
  private readonly small: BlockStock;
  private readonly large: BlockStock;

  /** @param memory gives the pieces that the blocks are cut from */
  constructor(private readonly budget: ByteBudget, memory: (sizeBytes: number) => Buffer = (sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes)) {
    this.small = new BlockStock(SMALL_BLOCK_BYTES, SMALL_BLOCKS, memory);
    this.large = new BlockStock(LARGE_BLOCK_BYTES, LARGE_BLOCKS, memory);
  }

  /** @returns the block, and a promise when the caller must wait before it reads on */
  take(sizeBytes: BlockBytes): { block: Buffer; wait: Promise<void> | undefined } {
    const stock = sizeBytes === SMALL_BLOCK_BYTES ? this.small : this.large;
    return { block: stock.take(), wait: this.budget.take(sizeBytes) };
  }

  /** Nobody may read or write the block after this. */
  give(block: Buffer): void {
    this.budget.give(block.length);
    (block.length === SMALL_BLOCK_BYTES ? this.small : this.large).give(block);
  }
}

/** Blocks of one size. The one used last is given first: its memory is in use already. */
class BlockStock {
  private readonly piece: ArrayBufferLike;
  private readonly spare: Buffer[] = [];

  constructor(private readonly blockBytes: BlockBytes, count: number, memory: (sizeBytes: number) => Buffer) {
    const piece = memory(blockBytes * count);
    this.piece = piece.buffer;
    for (let at = count - 1; at >= 0; at--) this.spare.push(piece.subarray(at * blockBytes, (at + 1) * blockBytes));
  }

  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(this.blockBytes);
  }

  give(block: Buffer): void {
    if (block.buffer === this.piece) this.spare.push(block);
  }
}
