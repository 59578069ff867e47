// Time that moves only when a test says so. Timers run in the order of their deadlines.

interface Scheduled {
  readonly atMs: number;
  readonly run: () => void;
}

export class ManualTimerSource {
  #nowMs = 0;
  readonly #scheduled = new Set<Scheduled>();

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): { cancel(): void } {
    const entry: Scheduled = { atMs: this.#nowMs + delayMs, run };
    this.#scheduled.add(entry);
    return { cancel: () => void this.#scheduled.delete(entry) };
  }

  get pending(): number {
    return this.#scheduled.size;
  }

  /** Moves time on and runs what falls due, including what that schedules. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      let next: Scheduled | null = null;
      for (const entry of this.#scheduled) if (entry.atMs <= untilMs && (next === null || entry.atMs < next.atMs)) next = entry;
      if (next === null) break;
      this.#scheduled.delete(next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }
}
