import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perennia/telemetry';
import { CircuitBreaker } from './circuit-breaker.js';

class StandingClock extends SystemClock {
  ms = 0;
  override monotonicMs(): number {
    return this.ms;
  }
}

describe('CircuitBreaker', () => {
  const setUp = (): { clock: StandingClock; breaker: CircuitBreaker; ask: (...outcomes: (boolean | undefined)[]) => void } => {
    const clock = new StandingClock();
    const breaker = new CircuitBreaker(clock, 5000);
    return { clock, breaker, ask: (...outcomes) => outcomes.forEach((each) => breaker.enter()(each)) };
  };
  const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

  it.each([
    ['39 of 39 mixed', [...times(20, true), ...times(19, false)], 'closed'],
    ['half of 40', [...times(20, true), ...times(20, false)], 'open'],
    ['less than half of many', [...times(200, true), ...times(150, false)], 'closed'],
    ['nine of nine', times(9, false), 'closed'],
    ['ten of ten', times(10, false), 'open'],
    ['given up by callers', times(100, undefined), 'closed'],
  ])('given failures, %s, then it is as it should be', (_what, outcomes, state) => {
    const { breaker, ask } = setUp();
    ask(...outcomes);
    expect(breaker.state).toBe(state);
  });

  it('forgets what is older than ten seconds', () => {
    const { clock, breaker, ask } = setUp();
    ask(...times(9, false));
    clock.ms = 10_000;
    ask(...times(9, false));
    expect(breaker.state).toBe('closed');
  });

  it('given it is open, then it lets one probe through at a time after its time, and answers of before do not count', () => {
    const { clock, breaker, ask } = setUp();
    const early = breaker.enter();
    ask(...times(10, false));
    expect(() => breaker.enter()).toThrow('fails too often');
    clock.ms = 5000;
    const probe = breaker.enter();
    early(true);
    expect(() => breaker.enter()).toThrow('fails too often');
    probe(undefined);
    ask(true, true);
    expect(breaker.state).toBe('half-open');
    ask(true);
    expect(breaker.state).toBe('closed');
    ask(...times(10, false));
    clock.ms = 10_000;
    ask(true, false);
    expect(breaker.state).toBe('open');
  });
});
