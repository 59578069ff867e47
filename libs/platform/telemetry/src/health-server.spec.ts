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

  it('answers who knows the secret of the process, and nobody else', async () => {
    const control = { secret: 'only ours', answer: (method: string, path: string) => (method === 'POST' && path === '/things/7' ? { done: true } : undefined) };
    const controlled = new HealthServer(health, metrics, control);
    const address = `http://127.0.0.1:${await controlled.listen(0)}`;
    const ask = (path: string, method: string, authorization?: string) => fetch(`${address}${path}`, { method, headers: authorization === undefined ? {} : { authorization } });
    const answer = await ask('/things/7', 'POST', 'Bearer only ours');
    expect([answer.status, await answer.json()]).toEqual([200, { done: true }]);
    expect((await ask('/things/8', 'POST', 'Bearer only ours')).status).toBe(404);
    expect((await ask('/things/7', 'POST', 'Bearer another')).status).toBe(401);
    expect((await ask('/things/7', 'POST')).status).toBe(404);
    await controlled.close();
  });
});
