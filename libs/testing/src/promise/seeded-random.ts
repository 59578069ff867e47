// A random sequence that a seed in a proof's output repeats (the linear congruence of Numerical Recipes; good enough to choose moments).

export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0 || 1;
  }

  /** A whole number from 0 up to, but not including, `below`. */
  next(below: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return (this.state >>> 8) % below;
  }
}
