// The memory of all writers together. A writer that finds none waits, and its sender with it. Memory is given although there is none when
// nothing is being sent: only then would nobody ever give some back. What is over is kept as whole parts for the next.
import { Buffer } from 'node:buffer';

const SPARE_PARTS = 4;

export class PartMemory {
  private usedBytes = 0;
  private sending = 0;
  private readonly waiting: { bytes: number; go: () => void }[] = [];
  private readonly spare: Buffer[] = [];

  constructor(private readonly limitBytes: number, readonly partBytes: number) {}

  /** A buffer of so many bytes, of at most one part; later. */
  async take(bytes: number): Promise<Buffer> {
    if (this.waiting.length > 0 || !this.isFree(bytes)) await new Promise<void>((go) => this.waiting.push({ bytes, go }));
    else this.usedBytes += bytes;
    return (bytes === this.partBytes ? this.spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes);
  }

  give(buffer: Buffer): void {
    this.usedBytes -= buffer.length;
    if (buffer.length === this.partBytes && this.spare.length < SPARE_PARTS) this.spare.push(buffer);
    this.serve();
  }

  /** While `work` sends, whoever waits can hope for its memory. */
  async whileSending<T>(work: () => Promise<T>): Promise<T> {
    this.sending += 1;
    try {
      return await work();
    } finally {
      this.sending -= 1;
      this.serve();
    }
  }

  private isFree(bytes: number): boolean {
    return this.usedBytes + bytes <= this.limitBytes || this.sending === 0;
  }

  private serve(): void {
    while (this.waiting.length > 0 && this.isFree(this.waiting[0]!.bytes)) {
      const { bytes, go } = this.waiting.shift()!;
      this.usedBytes += bytes;
      go();
      // Beyond the limit one at a time: it will send, and then there is hope.
      if (this.usedBytes > this.limitBytes) return;
    }
  }
}
