// The bytes of one object on their way into the landing area: gathered in blocks while small, streamed into a segment of its own when
// large, so that no object above the limit is ever whole in memory.
import type { AppendBatch, LandedRecord, Landing, LandingStream } from '@perennia/storage';
import { LARGE_BLOCK_BYTES, SMALL_BLOCK_BYTES, type BlockPool } from './block-pool.js';

/** Objects up to this size are gathered and share one durable write with their neighbours. */
export const GATHER_LIMIT_BYTES = 8 * 1024 * 1024;

const EMPTY = Buffer.alloc(0);

export class LandingBody {
  private blocks: Buffer[] = [];
  /** Bytes used of the last block; the first one begins with room for the landing area. */
  private used = 0;
  private readonly headroomBytes: number;
  private stream: LandingStream | undefined;
  private closed = false;
  sizeBytes = 0;

  constructor(
    private readonly landing: Landing,
    private readonly pool: BlockPool,
    private readonly gatherLimitBytes = GATHER_LIMIT_BYTES,
    private readonly batch?: AppendBatch,
  ) {
    this.headroomBytes = landing.headroomBytes;
  }

  /** Whether all still is in one small block after so many bytes more. */
  staysSmall(bytes: number): boolean {
    return this.headroomBytes + this.sizeBytes + bytes <= SMALL_BLOCK_BYTES;
  }

  /** All bytes so far of an object that is small. */
  get small(): Buffer {
    return this.blocks.length === 1 ? this.blocks[0]!.subarray(this.headroomBytes, this.used) : EMPTY;
  }

  /** The bytes are taken before this returns. A promise when the sender must wait. */
  write(chunk: Buffer): Promise<void> | undefined {
    this.sizeBytes += chunk.length;
    if (this.stream) return this.stream.write(chunk);
    const wait = this.gather(chunk);
    // When memory is short, whoever could wait for the others with his memory in hand goes to the disk instead: nobody waits in a circle.
    return this.sizeBytes > this.gatherLimitBytes || (wait && this.blocks.length > 1) ? this.beginStream() : wait;
  }

  private gather(chunk: Buffer): Promise<void> | undefined {
    let wait: Promise<void> | undefined;
    for (let at = 0; at < chunk.length; ) {
      let block = this.blocks.at(-1);
      if (!block || this.used === block.length) {
        const taken = this.pool.take(block ? LARGE_BLOCK_BYTES : SMALL_BLOCK_BYTES);
        block = taken.block;
        wait = taken.wait ?? wait;
        this.used = this.blocks.length === 0 ? this.headroomBytes : 0;
        this.blocks.push(block);
      }
      const copied = chunk.copy(block, this.used, at);
      this.used += copied;
      at += copied;
    }
    return wait;
  }

  private parts(): Buffer[] {
    const last = this.blocks.length - 1;
    return this.blocks.map((block, at) => block.subarray(at === 0 ? this.headroomBytes : 0, at === last ? this.used : block.length));
  }

  private async beginStream(): Promise<void> {
    const stream = await this.landing.openStream();
    if (this.closed) return stream.abort();
    this.stream = stream;
    try {
      for (const part of this.parts()) await stream.write(part);
    } finally {
      this.giveBack();
    }
  }

  /** Resolves when the record is durable. */
  async commit(receipt: string): Promise<LandedRecord> {
    this.closed = true;
    try {
      return this.stream ? await this.stream.commit(receipt) : await this.landing.append(receipt, this.parts(), this.blocks[0]?.subarray(0, this.headroomBytes), this.batch);
    } finally {
      this.giveBack();
    }
  }

  async abort(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.giveBack();
    await this.stream?.abort();
  }

  private giveBack(): void {
    for (const block of this.blocks.splice(0)) this.pool.give(block);
  }
}
