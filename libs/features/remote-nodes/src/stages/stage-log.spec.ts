import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Clock } from '@perennia/telemetry';
import { StageFailure } from './stage-failure.js';
import { StageLog, type Stage } from './stage-log.js';

/** Time that stands until a test moves it. */
class MovedClock extends Clock {
  ms = 0;
  sleepers = new Set<{ atMs: number; done: () => void }>();
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { atMs: this.ms + ms, done: resolve };
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', () => this.sleepers.delete(sleeper) && resolve());
    });
  }
  async move(ms: number): Promise<void> {
    this.ms += ms;
    for (const sleeper of this.sleepers) if (sleeper.atMs <= this.ms && this.sleepers.delete(sleeper)) sleeper.done();
    await setImmediate();
  }
}

const late = new StageFailure('Nobody answered', 'Wait');
const stage = (work: () => Promise<string>): Stage<string> => ({ name: 'tcp', work, found: (result) => `found ${result}`, late });

describe('StageLog', () => {
  it('keeps what was found and how long it took, and leaves no timer behind', async () => {
    const clock = new MovedClock();
    const log = new StageLog(clock, 1000);
    const work = Promise.withResolvers<string>();
    const running = log.run(stage(() => work.promise));
    await clock.move(12);
    work.resolve('it');
    expect(await running).toBe('it');
    expect(log.results).toEqual([{ stage: 'tcp', ok: true, durationMs: 12, found: 'found it' }]);
    expect(clock.sleepers.size).toBe(0);
  });

  it('given a failure, then it is kept with its remedy and thrown', async () => {
    const log = new StageLog(new MovedClock(), 1000);
    await expect(log.run(stage(() => Promise.reject(new StageFailure('Nothing there', 'Start it'))))).rejects.toThrow(StageFailure);
    expect(log.results).toEqual([{ stage: 'tcp', ok: false, durationMs: 0, found: 'Nothing there', remedy: 'Start it' }]);
  });

  it('given no end in time, then it failed as late, and what comes afterwards is forgotten', async () => {
    const clock = new MovedClock();
    const log = new StageLog(clock, 1000);
    const work = Promise.withResolvers<string>();
    const running = log.run(stage(() => work.promise)).catch((error: unknown) => error);
    await clock.move(999);
    expect(log.results).toEqual([]);
    await clock.move(1);
    expect(await running).toBe(late);
    work.reject(new Error('too late'));
    await setImmediate();
    expect(log.results).toEqual([{ stage: 'tcp', ok: false, durationMs: 1000, found: 'Nobody answered', remedy: 'Wait' }]);
  });

  it('given a defect of ours, then it is thrown and is no finding', async () => {
    const log = new StageLog(new MovedClock(), 1000);
    await expect(log.run(stage(() => Promise.reject(new TypeError('ours'))))).rejects.toThrow(TypeError);
    expect(log.results).toEqual([]);
  });
});
