import { describe, expect, it } from '@jest/globals';
import { Metrics, SystemClock, type Logger } from '@perennia/telemetry';
import { FilingLoop, type FilingLoopParts } from './filing-loop.js';

class RecordingClock extends SystemClock {
  readonly sleeps: number[] = [];
  private nowOfTest = 0;
  override monotonicMs(): number {
    return (this.nowOfTest += 50);
  }
  override async sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('FilingLoop', () => {
  it('given one filer with a long queue, when the landing area fills meanwhile, then it no longer rests', async () => {
    const clock = new RecordingClock();
    const queue = Array.from({ length: 6 }, (_, n) => [{ bucket: 0, id: `study ${n}` }]);
    let filed = 0;
    let allFiled = (): void => {};
    const done = new Promise<void>((resolve) => (allFiled = resolve));
    const parts = {
      imaging: { query: () => Promise.resolve([]) },
      due: { refill: () => Promise.resolve(), take: () => queue.shift() ?? [], failed: () => {}, done: () => (++filed === 6 ? allFiled() : undefined) },
      claims: { claim: (group: unknown[]) => Promise.resolve(group), release: () => Promise.resolve(), close: () => {} },
      filing: { file: () => Promise.resolve(1) },
      duplicates: { once: () => Promise.resolve(0) },
      pressure: { look: () => Promise.resolve({ level: 'full', settleMs: 0, filers: 1, rest: filed < 2 ? 1 : 0 }) },
      clock, log: { warn: () => {} } as unknown as Logger, metrics: new Metrics(), filers: 1,
    };
    const loop = new FilingLoop(parts as unknown as FilingLoopParts);
    loop.start();
    await done;
    await loop.stop();
    // Two rests of what a group takes by this clock; all other sleeps are pauses between looks.
    expect(clock.sleeps.filter((ms) => ms === 50)).toHaveLength(2);
  });
});
