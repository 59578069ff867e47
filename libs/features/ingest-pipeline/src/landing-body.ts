// The bytes of one object on their way into the landing area: gathered while small, streamed into a segment of its own when
// large, so that no object above the limit is ever whole in memory.
import type { LandedRecord, Landing, LandingStream } from '@perennia/storage';
import type { ByteBudget } from './byte-budget.js';

/** Objects up to this size are gathered and share one durable write with their neighbours. */
export const GATHER_LIMIT_BYTES = 8 * 1024 * 1024;

export class LandingBody {
  private parts: Uint8Array[] = [];
  private gatheredBytes = 0;
  private stream: LandingStream | undefined;
  private closed = false;
  sizeBytes = 0;

  constructor(
    private readonly landing: Landing,
    private readonly budget: ByteBudget,
    private readonly gatherLimitBytes = GATHER_LIMIT_BYTES,
  ) {}

  /** A promise when the sender must wait. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    this.sizeBytes += chunk.length;
    if (this.stream) return this.writeThrough(chunk);
    this.parts.push(chunk);
    this.gatheredBytes += chunk.length;
    const wait = this.budget.take(chunk.length);
    return this.sizeBytes > this.gatherLimitBytes ? this.beginStream() : wait;
  }

  private async beginStream(): Promise<void> {
    const stream = await this.landing.openStream();
    if (this.closed) return stream.abort();
    this.stream = stream;
    for (const part of this.parts.splice(0)) await stream.write(part);
    this.giveBack();
  }

  private async writeThrough(chunk: Uint8Array): Promise<void> {
    void this.budget.take(chunk.length);
    try {
      await this.stream!.write(chunk);
    } finally {
      this.budget.give(chunk.length);
    }
  }

  /** Resolves when the record is durable. */
  async commit(receipt: string): Promise<LandedRecord> {
    this.closed = true;
    try {
      return this.stream ? await this.stream.commit(receipt) : await this.landing.append(receipt, this.parts);
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
    this.parts = [];
    this.budget.give(this.gatheredBytes);
    this.gatheredBytes = 0;
  }
}
