// One part in the making: grows as bytes come, so that small objects take little, and is hashed as it grows.
import { createHash } from 'node:crypto';
import type { PartMemory } from './part-memory.js';
import type { StoreWait } from './store-wait.js';

const FIRST_BYTES = 64 * 1024;

export class GrowingPart {
  private readonly hash = createHash('sha256');
  private buffer: Buffer | undefined;
  private filled = 0;
  private finalDigest: Buffer | undefined;

  constructor(private readonly memory: PartMemory, private readonly wait: StoreWait, private readonly expectedBytes = FIRST_BYTES) {}

  get bytes(): Buffer {
    return this.buffer?.subarray(0, this.filled) ?? Buffer.alloc(0);
  }
  get isFull(): boolean {
    return this.filled === this.memory.partBytes;
  }
  /** SHA-256 of all of it; nothing can be added then. */
  get digest(): Buffer {
    this.finalDigest ??= this.hash.digest();
    return this.finalDigest;
  }

  /** Takes what fits of the chunk; answers how much that was. */
  async add(chunk: Uint8Array): Promise<number> {
    const wanted = Math.min(this.filled + chunk.length, this.memory.partBytes);
    if (wanted > (this.buffer?.length ?? 0)) await this.grow(wanted);
    const taken = chunk.subarray(0, wanted - this.filled);
    this.buffer!.set(taken, this.filled);
    this.hash.update(taken);
    this.filled = wanted;
    return taken.length;
  }

  free(): void {
    if (this.buffer) this.memory.give(this.buffer);
    this.buffer = undefined;
    this.filled = 0;
    this.memory.settle(this);
  }

  private async grow(wanted: number): Promise<void> {
    const old = this.buffer;
    const first = Math.max(FIRST_BYTES, Math.min(this.expectedBytes, this.memory.partBytes));
    let size = old ? 2 * old.length : first;
    while (size < wanted) size *= 2;
    const grown = await this.wait.during(() => this.memory.take(Math.min(size, this.memory.partBytes), this, this.wait.leftMs));
    old?.copy(grown, 0, 0, this.filled);
    if (old) this.memory.give(old);
    this.buffer = grown;
  }
}
