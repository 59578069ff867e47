// The event log on a real Kafka broker, as an administrator sees it: topics, a start without it, records that cannot be indexed (E6). What its
// absence does under load is in test/cluster.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KafkaEventLog } from '@perennia/event-log-kafka';
import { createLogger } from '@perennia/telemetry';
import { readRunState } from '@perennia/all-in-one';
import { Client } from 'pg';
import { hasOwn, KafkaBroker, Ledger, Product, PromiseChecker, PromiseSender } from '@perennia/testing';
import { runVna, runVnaJson } from '../startup/run-vna.js';

const DRAINED_WITHIN_MS = 300_000;
const suite = hasOwn('kafka') ? describe : describe.skip;

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

  const listed = async (): Promise<Letter[]> => (await runVnaJson<{ deadLetters: Letter[] }>(environment, 'dead-letters', 'list')).deadLetters;
  async function lagOfIndexing(): Promise<{ withinTen: number; all: number }> {
    const text = await (await fetch(`http://127.0.0.1:${product.healthPort}/metrics`)).text();
    const value = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
    return { withinTen: value(/^vna_indexing_lag_seconds_bucket\{[^}]*le="10"[^}]*\} (\d+)/m), all: value(/^vna_indexing_lag_seconds_count\{[^}]*\} (\d+)/m) };
  }
  const sender = (seed: number): PromiseSender =>
    new PromiseSender({ dicomPort: product.dicomPort, web: product.web, ledger, root: `1.2.826.0.1.3680043.10.4.${Date.now()}.${seed}`, seed, stowConnections: 0 });

  it('has made its topics as they are declared, and says so', async () => {
    const { topics } = await runVnaJson<{ topics: { topic: string; state: string }[] }>(environment, 'topics');
    expect(topics.map(({ state }) => state)).toEqual(['as declared', 'as declared', 'as declared']);
    const different = await runVna({ ...environment, VNA_KAFKA_PARTITIONS: '16' }, 'topics');
    expect(different).toMatchObject({ code: 1, stdout: expect.stringContaining('8 partitions instead of 16') });
  }, 60_000);

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

  it('given one receipt in a thousand that the database refuses, then the others are found without delay, it is put aside with its reason, and goes in once the cause is mended', async () => {
    const database = new Client({ connectionString: readRunState(join(directory, 'data', 'run'))!.databaseUrl });
    // Ends with the server when the test fails.
    database.on('error', () => undefined);
    await database.connect();
    ledger.forget();
    await database.query('alter table imaging.instance add constraint poison check (hashtext(sop_instance_uid) % 1000 <> 7) not valid');
    const before = await lagOfIndexing();
    const storing = sender(3);
    storing.start();
    let poisoned: { uid: string }[] = [];
    const acknowledged = (): string[] => ledger.snapshot().filter(({ state }) => state === 'acknowledged').map(({ sopInstanceUid }) => sopInstanceUid);
    const poisonedOnes = async (): Promise<{ uid: string }[]> => (await database.query<{ uid: string }>('select uid from unnest($1::text[]) as uid where hashtext(uid) % 1000 = 7', [acknowledged()])).rows;
    while (ledger.acknowledgedCount() < 2500 || poisoned.length < 2) {
      await new Promise((done) => setTimeout(done, 500));
      poisoned = await poisonedOnes();
    }
    await storing.stop();
    poisoned = await poisonedOnes();
    expect(poisoned.length).toBeGreaterThan(0);
    let letters = await listed();
    while (letters.length < poisoned.length) letters = await listed();
    expect(letters.length).toBe(poisoned.length);
    expect(letters[0]).toMatchObject({ state: 'open', reason: expect.stringMatching(/./) });
    const lag = await lagOfIndexing();
    // 99 of 100 batches.
    expect(lag.withinTen - before.withinTen).toBeGreaterThanOrEqual(0.99 * (lag.all - before.all));
    expect(await runVna(environment, 'dead-letters', 'replay', '--all')).toMatchObject({ code: 1, stdout: expect.stringContaining('0 replayed') });
    await database.query('alter table imaging.instance drop constraint poison');
    await database.end();
    expect(await runVna(environment, 'dead-letters', 'replay', '--all')).toMatchObject({ code: 0, stdout: expect.stringContaining(`${poisoned.length} replayed, 0 given up again`) });
    expect(await listed()).toEqual([]);
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), DRAINED_WITHIN_MS);
    expect(violations).toEqual([]);
  }, 360_000);

  it('given a record that is no receipt, then it is put aside with its reason, and replaying it in vain says why', async () => {
    const eventLog = await KafkaEventLog.open({ connection: { brokers: broker.brokers, clientId: 'test' }, log: createLogger('test', 'silent') });
    await eventLog.append('vna.instance.received.v1', [{ partition: 3, key: 'k', value: '{"tenantId":"default","data":"no receipt"}' }]);
    await eventLog.close();
    let letters = await listed();
    while (letters.length === 0) letters = await listed();
    expect(letters).toMatchObject([{ state: 'open', errorCode: 'INVALID_INPUT' }]);
    const { id } = letters[0]!;
    expect(await runVnaJson<object>(environment, 'dead-letters', 'show', id)).toMatchObject({ id, original: '{"tenantId":"default","data":"no receipt"}' });
    const replayed = await runVna(environment, 'dead-letters', 'replay', id);
    expect(replayed).toMatchObject({ code: 1, stdout: expect.stringContaining('0 replayed, 1 given up again') });
    expect((await listed())[0]).toMatchObject({ id, state: 'open', attempts: 2 });
    expect(await runVna(environment, 'dead-letters', 'discard', id)).toMatchObject({ code: 0 });
    expect(await listed()).toEqual([]);
  }, 120_000);
});
