import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HealthRegistry } from './health-registry.js';
import { HealthServer } from './health-server.js';
import { Metrics } from './metrics.js';

describe('HealthServer', () => {
  const health = new HealthRegistry();
  const metrics = new Metrics();
  const server = new HealthServer(health, metrics);
  let base: string;
  beforeEach(async () => {
    base = `http://127.0.0.1:${await server.listen(0)}`;
  });
  afterEach(() => server.close());

  it('answers liveness, readiness with reasons, and metrics', async () => {
    let reason: string | undefined = 'the database does not answer';
    health.addReadiness('database', () => reason);
    health.addReadiness('landing', () => {
      throw new Error('no room');
    });
    metrics.counter('vna_sample_total', 'A sample').inc(3);

    expect((await fetch(`${base}/livez`)).status).toBe(200);
    const unready = await fetch(`${base}/readyz`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toEqual({
      ok: false,
      checks: { database: { ok: false, reason: 'the database does not answer' }, landing: { ok: false, reason: 'no room' } },
    });
    reason = undefined;
    health.addReadiness('landing', () => undefined);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('vna_sample_total 3');
    expect((await fetch(`${base}/elsewhere`)).status).toBe(404);
  });
});
