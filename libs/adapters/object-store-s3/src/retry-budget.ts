// How many repetitions all calls together may afford: a server in trouble must not be asked many times as often. Each repetition takes one
// token, each success gives a part of one back. At 30 % failures that suffices for ever; from about 40 % on the store runs dry and calls fail
// with what their first attempt met.
const CAPACITY = 100;
const PER_SUCCESS = 0.6;

export class RetryBudget {
  private tokens = CAPACITY;

  succeeded(): void {
    this.tokens = Math.min(CAPACITY, this.tokens + PER_SUCCESS);
  }

  /** Whether one more repetition is affordable; if so it is paid. */
  take(): boolean {
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
