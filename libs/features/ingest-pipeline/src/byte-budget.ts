// One process-wide bound on received bytes that are held in memory. Whoever would exceed it waits, and with it its socket.

export class ByteBudget {
  private usedBytes = 0;
  private readonly waiting: (() => void)[] = [];

  /** @param limitBytes the most that may be held; one chunk above it is let through, so that progress never stops */
  constructor(readonly limitBytes: number) {}

  get inFlightBytes(): number {
    return this.usedBytes;
  }

  /** Counts `bytes`; a promise when the caller must wait before it reads on. */
  take(bytes: number): Promise<void> | undefined {
    this.usedBytes += bytes;
    if (this.usedBytes <= this.limitBytes) return undefined;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  give(bytes: number): void {
    this.usedBytes -= bytes;
    // Everyone may look again: what they hold is counted already, so they only stopped reading more.
    if (this.usedBytes <= this.limitBytes && this.waiting.length > 0) for (const resume of this.waiting.splice(0)) resume();
  }
}
