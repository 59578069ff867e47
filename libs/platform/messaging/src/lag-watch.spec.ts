import { describe, expect, it } from '@jest/globals';
import { Metrics, SystemClock } from '@perennia/telemetry';
import { MemoryEventLog } from '@perennia/testing';
import { LagWatch } from './lag-watch.js';

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
});
