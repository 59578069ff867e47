import { describe, expect, it } from '@jest/globals';
import { Metrics, SystemClock } from '@perennia/telemetry';
import { MemoryEventLog } from '@perennia/testing';
import { LagWatch } from './lag-watch.js';

/** Sleepers go on when told; five seconds have passed then. */
class ScriptedClock extends SystemClock {
  private atMs = 0;
  private resume: () => void = () => undefined;
  override monotonicMs(): number {
    return this.atMs;
  }
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.resume = () => {
        this.atMs += ms;
        resolve();
      };
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  async pass(): Promise<void> {
    this.resume();
    await new Promise(setImmediate);
  }
}

class ScriptedLog extends MemoryEventLog {
  end = 0;
  committed = 0;
  override async lag(): Promise<{ partition: number; committedOffset: number; endOffset: number }[]> {
    return [{ partition: 0, committedOffset: this.committed, endOffset: this.end }];
  }
}

describe('LagWatch', () => {
  it('given records that nobody has handled, then their number over all partitions is told', async () => {
    const eventLog = new MemoryEventLog();
    await eventLog.append('lag.topic', [0, 0, 5].map((partition) => ({ partition, key: 'k', value: '{}' })));
    const metrics = new Metrics();
    const watch = new LagWatch(eventLog, metrics, new SystemClock(), { topic: 'lag.topic', group: 'g' });
    watch.start();
    while (!(await metrics.text()).includes('vna_consumer_lag_records{topic="lag.topic",group="g"} 3')) await new Promise(setImmediate);
    await watch.stop();
    expect(await metrics.text()).toContain('vna_consumer_lag_records');
  });

  it('given a group that stands still while records come, then it is told for how long it has been behind, until it has caught up', async () => {
    const clock = new ScriptedClock();
    const eventLog = new ScriptedLog();
    const metrics = new Metrics();
    const watch = new LagWatch(eventLog, metrics, clock, { topic: 't', group: 'g' });
    const look = async (end: number, committed: number): Promise<number> => {
      Object.assign(eventLog, { end, committed });
      await clock.pass();
      return Number(/vna_consumer_lag_seconds\{[^}]*\} (\S+)/.exec(await metrics.text())![1]);
    };
    watch.start();
    // Five seconds lie between two looks.
    expect([await look(0, 0), await look(10, 0), await look(10, 0), await look(25, 0), await look(25, 9)]).toEqual([0, 0, 5, 10, 15]);
    // What came with the second look is done; what came with the fourth waits since then.
    expect([await look(25, 10), await look(30, 24), await look(30, 30), await look(31, 30)]).toEqual([10, 15, 0, 0]);
    await watch.stop();
  });
});
