import { describe, expect, it } from '@jest/globals';
import { Metrics } from '@perennia/telemetry';
import { GatheredMetrics } from './gathered-metrics.js';

describe('GatheredMetrics', () => {
  it('given two processes with the same metric, then its samples stand together and say which process they are of', async () => {
    const [ingest, worker] = [new Metrics(), new Metrics()];
    ingest.counter('vna_objects_total', 'Objects', ['road']).inc({ road: 'C-STORE {x y}' }, 3);
    ingest.gauge('vna_only_here', 'Here').set(1);
    worker.counter('vna_objects_total', 'Objects', ['road']).inc({ road: 'STOW' }, 2);
    const text = await new GatheredMetrics([{ name: 'ingest', text: () => ingest.text() }, { name: 'worker', text: () => worker.text() }]).text();
    expect(text).toContain('# TYPE vna_objects_total counter\nvna_objects_total{process="ingest",road="C-STORE {x y}"} 3\nvna_objects_total{process="worker",road="STOW"} 2\n');
    expect(text).toContain('vna_only_here{process="ingest"} 1\n');
    expect(text.match(/# HELP vna_objects_total/g)).toHaveLength(1);
  });

  it('given a process that does not answer, then the others are told and it is said to be down', async () => {
    const text = await new GatheredMetrics([{ name: 'web', text: () => Promise.reject(new Error('starting')) }, { name: 'worker', text: async () => '# HELP a A\n# TYPE a gauge\na 1\n' }]).text();
    expect(text).toContain('a{process="worker"} 1');
    expect(text).toContain('vna_process_up{process="web"} 0\nvna_process_up{process="worker"} 1');
  });

  it('given processes that were started again, then it is said how often, beside those that are not started by us', async () => {
    const text = await new GatheredMetrics([{ name: 'web', text: async () => '', restarts: () => 3 }, { name: 'supervisor', text: async () => '' }]).text();
    expect(text).toContain('# TYPE vna_process_restarts_total counter\nvna_process_restarts_total{process="web"} 3\n');
    expect(text).not.toContain('vna_process_restarts_total{process="supervisor"}');
  });
});
