// One file of an area while the process runs: a segment of the log, or the file of one large object.
import type { LandingPosition, SealedSegment } from '@perennia/storage';

export class Segment {
  /** Rises with each use; 0 while the segment is free. */
  generation = 0;
  /** Bytes written in this use. */
  endBytes = 0;
  /** Bytes of this use that are durable: nobody is told of anything behind. */
  durableBytes = 0;
  /** Of a file for one large object: the length of the object. */
  objectBytes = 0;
  /** Durable objects that stand in this file (references to other files do not count). */
  objects = 0;
  /** Nothing will be written to it any more, and all it holds is durable. */
  sealed = false;
  /** Position in the log of the last durable record of it; of a large object, of the reference to it. */
  lastRecord: LandingPosition | undefined;
  /** After an error of the device it is never written again, and not re-used. */
  poisoned = false;
  /** Something in it is not as it was written: the file is kept for a person to look at. */
  damaged = false;
  /** Damaged ranges by their first byte: readers of the log go on behind them. */
  readonly gaps = new Map<number, number>();
  private sealWaiters: (() => void)[] = [];

  constructor(
    readonly kind: 'log' | 'stream',
    readonly owner: string,
    readonly file: string,
    readonly descriptor: number,
  ) {}

  get key(): string {
    return `${this.owner}/${this.file}@${this.generation}`;
  }

  begin(generation: number): void {
    this.generation = generation;
    this.endBytes = 0;
    this.durableBytes = 0;
    this.objects = 0;
    this.sealed = false;
    this.lastRecord = undefined;
    this.gaps.clear();
  }

  markSealed(): void {
    this.sealed = true;
    for (const resume of this.sealWaiters.splice(0)) resume();
  }

  whenSealed(): Promise<void> {
    return this.sealed ? Promise.resolve() : new Promise((resolve) => this.sealWaiters.push(resolve));
  }

  /** Undefined while it is in use, or a large object has no place in the log yet. */
  describe(): SealedSegment | undefined {
    if (!this.sealed) return undefined;
    const lastRecord = this.lastRecord ?? (this.kind === 'log' ? { generation: this.generation, offset: 0 } : undefined);
    return lastRecord && { generation: this.generation, key: this.key, records: this.objects, bytes: this.durableBytes, lastRecord };
  }
}
