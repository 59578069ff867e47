import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perennia/telemetry';
import { StoreWait } from './store-wait.js';

class MovableClock extends SystemClock {
  ms = 1000;
  override monotonicMs(): number {
    return this.ms;
  }
}

describe('StoreWait', () => {
  const clock = new MovableClock();
  const waitFor = (wait: StoreWait, ms: number): Promise<void> => wait.during(async () => void (clock.ms += ms));

  it('given several waits in a row, then they add up, and time between them does not', async () => {
    const wait = new StoreWait(clock, 60_000, 15_000);
    await waitFor(wait, 20_000);
    clock.ms += 500_000;
    await waitFor(wait, 30_000);
    expect(wait.leftMs).toBe(10_000);
    expect(wait.deadline()).toBe(clock.ms + 15_000);
  });

  it('given a part that was stored, then it begins anew', async () => {
    const wait = new StoreWait(clock, 60_000, 15_000);
    await waitFor(wait, 70_000);
    expect(wait.leftMs).toBe(0);
    wait.stored();
    expect(wait.deadline()).toBe(clock.ms + 60_000);
  });

  it('given a wait that fails, then it counts', async () => {
    const wait = new StoreWait(clock, 60_000, 15_000);
    await expect(wait.during(async () => ((clock.ms += 5000), Promise.reject(new Error('gone'))))).rejects.toThrow('gone');
    expect(wait.leftMs).toBe(55_000);
  });
});
