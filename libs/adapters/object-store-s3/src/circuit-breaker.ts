// Keeps calls away from a store that fails: they fail at once instead of waiting for deadlines, and the store is left in peace.
//   closed    → open       half of the requests of the last ten seconds failed (at least 40), or all of them (at least 10)
//   open      → half-open  after `openMs`
//   half-open → closed     three probes in a row, one at a time, succeeded;  → open  one failed
import { UnavailableError } from '@perennia/errors';
import type { Clock } from '@perennia/telemetry';

export type BreakerState = 'closed' | 'open' | 'half-open';
/** What became of a request; undefined: it says nothing about the store (given up by its caller). */
export type ReportOutcome = (succeeded: boolean | undefined) => void;

const WINDOW_S = 10;
const FAILED_SHARE = 0.5;
/** At 30 % failures forty requests reach half only once in 150 windows; with fewer it would open by chance. */
const MINIMUM_REQUESTS = 40;
const MINIMUM_ALL_FAILED = 10;
const PROBES = 3;

export class CircuitBreaker {
  private current: BreakerState = 'closed';
  /** Requests by second, the oldest first. */
  private seconds: { second: number; total: number; failed: number }[] = [];
  private openedMs = 0;
  private probing = false;
  private probesPassed = 0;
  /** Answers to requests of an earlier state are of no interest. */
  private generation = 0;

  constructor(private readonly clock: Clock, private readonly openMs: number) {}

  get state(): BreakerState {
    return this.current;
  }

  /** @throws UnavailableError while it is open */
  enter(): ReportOutcome {
    if (this.current === 'open' && this.clock.monotonicMs() - this.openedMs >= this.openMs) this.become('half-open');
    if (this.current === 'open' || (this.current === 'half-open' && this.probing)) {
      throw new UnavailableError('The object store fails too often and is left alone for a moment.', {
        details: { breaker: this.current }, remedy: 'Look at the object store; it is tried again by itself.',
      });
    }
    const { generation } = this;
    if (this.current === 'half-open') this.probing = true;
    return (succeeded) => {
      if (generation !== this.generation) return;
      if (this.current === 'half-open') this.probed(succeeded);
      else if (succeeded !== undefined) this.count(succeeded);
    };
  }

  private probed(succeeded: boolean | undefined): void {
    this.probing = false;
    if (succeeded === undefined) return;
    if (!succeeded) return this.become('open');
    this.probesPassed += 1;
    if (this.probesPassed >= PROBES) this.become('closed');
  }

  private count(succeeded: boolean): void {
    const second = Math.floor(this.clock.monotonicMs() / 1000);
    let last = this.seconds.at(-1);
    if (last?.second !== second) {
      last = { second, total: 0, failed: 0 };
      this.seconds = [...this.seconds.filter((each) => each.second > second - WINDOW_S), last];
    }
    last.total += 1;
    if (succeeded) return;
    last.failed += 1;
    const total = this.seconds.reduce((sum, each) => sum + each.total, 0);
    const failed = this.seconds.reduce((sum, each) => sum + each.failed, 0);
    if (total >= (failed === total ? MINIMUM_ALL_FAILED : MINIMUM_REQUESTS) && failed >= FAILED_SHARE * total) this.become('open');
  }

  private become(state: BreakerState): void {
    this.current = state;
    this.generation += 1;
    this.seconds = [];
    this.probing = false;
    this.probesPassed = 0;
    if (state === 'open') this.openedMs = this.clock.monotonicMs();
  }
}
