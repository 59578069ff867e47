// The event log on a real Kafka broker, which is killed while senders store: no store fails, everything is found afterwards, nothing twice
// (R4). And what an administrator sees of it: topics, lag, dead letters.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KafkaEventLog } from '@perennia/event-log-kafka';
import { createLogger } from '@perennia/telemetry';
import { hasBackend, KafkaBroker, Ledger, Product, PromiseChecker, PromiseSender } from '@perennia/testing';
import { runVna, runVnaJson } from '../startup/run-vna.js';

/** Full size: 600 (npm run proof -- R4). */
const OUTAGE_SECONDS = Number(process.env['VNA_TEST_OUTAGE_SECONDS'] ?? 8);
const DRAINED_WITHIN_MS = 300_000;
const suite = hasBackend('kafka') ? describe : describe.skip;

interface Letter {
  id: string;
  state: string;
  errorCode: string;
  reason: string;
}

suite('an archive whose event log is on Kafka', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-broker-'));
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  let broker: KafkaBroker;
  let product: Product;
  let environment: Record<string, string>;

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    environment = { VNA_KAFKA_BROKERS: broker.brokers.join(','), VNA_KAFKA_PARTITIONS: '8', VNA_KAFKA_REPLICATION: '1', VNA_LOG_LEVEL: 'warn' };
    product = await Product.start({ dataDirectory: join(directory, 'data'), environment });
    environment = { ...environment, VNA_DATA: join(directory, 'data'), VNA_HEALTH_PORT: String(product.healthPort), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort) };
  }, 180_000);
  afterAll(async () => {
    await product?.stop();
    await broker?.remove();
    ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${product.healthPort}/metrics`)).text();
  const sender = (seed: number): PromiseSender =>
    new PromiseSender({ dicomPort: product.dicomPort, web: product.web, ledger, root: `1.2.826.0.1.3680043.10.4.${Date.now()}.${seed}`, seed, stowConnections: 0 });

  it('has made its topics as they are declared, and says so', async () => {
    const { topics } = await runVnaJson<{ topics: { topic: string; state: string }[] }>(environment, 'topics');
    expect(topics.map(({ state }) => state)).toEqual(['as declared', 'as declared', 'as declared']);
    const different = await runVna({ ...environment, VNA_KAFKA_PARTITIONS: '16' }, 'topics');
    expect(different).toMatchObject({ code: 1, stdout: expect.stringContaining('8 partitions instead of 16') });
  }, 60_000);

  it(`given senders that keep storing, when the broker is killed for ${OUTAGE_SECONDS} s, then no store fails, all is found within five minutes and nothing twice`, async () => {
    const storing = sender(1);
    storing.start();
    await new Promise((done) => setTimeout(done, 1500));
    await broker.kill();
    const before = ledger.acknowledgedCount();
    await new Promise((done) => setTimeout(done, OUTAGE_SECONDS * 1000));
    const duringOutage = ledger.acknowledgedCount() - before;
    const health = (await (await fetch(`http://127.0.0.1:${product.healthPort}/readyz`)).json()) as { checks: Record<string, { ok: boolean; reason?: string }> };
    await broker.restart();
    await storing.stop();
    expect(storing.failures).toBe(0);
    expect(duringOutage).toBeGreaterThan(OUTAGE_SECONDS * 10);
    expect(health.checks['ingest']).toEqual({ ok: true });
    expect(health.checks['worker']).toMatchObject({ ok: false, reason: expect.stringContaining('event-log') });
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), DRAINED_WITHIN_MS);
    expect(violations).toEqual([]);
    await product.untilReady();
    expect(await metrics()).toMatch(/vna_consumer_lag_records\{process="worker",topic="vna.instance.received.v1",group="indexing"\} \d+/);
  }, OUTAGE_SECONDS * 1000 + DRAINED_WITHIN_MS + 60_000);

  it('given an archive that starts while the broker is away, then it takes objects in, and they are found when the broker is back', async () => {
    await broker.kill();
    await product.stop();
    await product.restart({ readyWhen: 'receiving' });
    const storing = sender(2);
    storing.start();
    await new Promise((done) => setTimeout(done, 2000));
    await storing.stop();
    expect(storing.failures).toBe(0);
    await broker.restart();
    await product.untilReady();
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), DRAINED_WITHIN_MS);
    expect(violations).toEqual([]);
  }, 420_000);

  it('given a record that is no receipt, then it is put aside with its reason, and replaying it in vain says why', async () => {
    const eventLog = await KafkaEventLog.open({ connection: { brokers: broker.brokers, clientId: 'test' }, log: createLogger('test', 'silent') });
    await eventLog.append('vna.instance.received.v1', [{ partition: 3, key: 'k', value: '{"tenantId":"default","data":"no receipt"}' }]);
    await eventLog.close();
    const list = async (): Promise<Letter[]> => (await runVnaJson<{ deadLetters: Letter[] }>(environment, 'dead-letters', 'list')).deadLetters;
    let letters = await list();
    while (letters.length === 0) letters = await list();
    expect(letters).toMatchObject([{ state: 'open', errorCode: 'INVALID_INPUT' }]);
    const { id } = letters[0]!;
    expect(await runVnaJson<object>(environment, 'dead-letters', 'show', id)).toMatchObject({ id, original: '{"tenantId":"default","data":"no receipt"}' });
    const replayed = await runVna(environment, 'dead-letters', 'replay', id);
    expect(replayed).toMatchObject({ code: 1, stdout: expect.stringContaining('0 replayed, 1 given up again') });
    expect((await list())[0]).toMatchObject({ id, state: 'open', attempts: 2 });
    expect(await runVna(environment, 'dead-letters', 'discard', id)).toMatchObject({ code: 0 });
    expect(await list()).toEqual([]);
  }, 120_000);
});
