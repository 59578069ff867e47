// At most so many at once; the others wait in the order they came.
export class Slots {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(count: number) {
    this.free = count;
  }

  /** Resolves with what gives the slot back; calling that again does nothing. */
  async take(): Promise<() => void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    };
  }
}
