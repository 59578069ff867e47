// Tells a reader of a landing area that there may be durable records which it has not been given.

export class DurableNotice {
  private version = 0;
  private seenVersion = 0;
  private readonly waiters = new Set<() => void>();

  /** More is durable. */
  tell(): void {
    this.version += 1;
    for (const resume of this.waiters) resume();
  }

  /** To be taken before records are read. */
  get now(): number {
    return this.version;
  }

  /** All records that were durable at `version` have been given. */
  saw(version: number): void {
    this.seenVersion = version;
  }

  /** Resolves when there may be records that were not given, or `signal` aborts. */
  when(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.version !== this.seenVersion) return Promise.resolve();
    return new Promise((resolve) => {
      const resume = (): void => {
        this.waiters.delete(resume);
        signal.removeEventListener('abort', resume);
        resolve();
      };
      this.waiters.add(resume);
      signal.addEventListener('abort', resume, { once: true });
    });
  }
}
