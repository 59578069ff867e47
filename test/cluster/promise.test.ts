// The services apart: two that take objects in, two that index, one that files, one that is asked, on a real Kafka broker, S3 server and
// PostgreSQL. Any of them is killed while senders store; the promise holds (E2), and copies take over for each other (E5).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, hasBackend, Ledger, PromiseChecker, PromiseSender, SeededRandom, type MemberName, type Product } from '@perennia/testing';

/** Full size: 200 (npm run proof -- E2). */
const ROUNDS = Number(process.env['VNA_TEST_CLUSTER_KILLS'] ?? 8);
const SEED = Number(process.env['VNA_TEST_SEED'] ?? 20261127);
const FOUND_WITHIN_MS = 120_000;
const suite = hasBackend('kafka') && hasBackend('s3') ? describe : describe.skip;

suite('a cluster', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-cluster-'));
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  const random = new SeededRandom(SEED);
  let cluster: Cluster;
  let senders = 0;

  beforeAll(async () => {
    cluster = await Cluster.start({ directory: join(directory, 'cluster'), copies: { ingest: 2, indexing: 2 }, environment: { VNA_LIFECYCLE_SETTLE: '2s' } });
  }, 300_000);
  afterAll(async () => {
    await cluster?.stop();
    ledger.close();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  const sender = (): PromiseSender =>
    new PromiseSender({ dicomPort: cluster.dicomPort, web: cluster.web, ledger, root: `1.2.826.0.1.3680043.10.4.${Date.now()}.${++senders}`, seed: SEED + senders, largeEvery: 60 });
  async function assertPromise(): Promise<void> {
    await cluster.untilReady();
    const { violations } = await new PromiseChecker(cluster.web).check(ledger.snapshot(), FOUND_WITHIN_MS);
    expect(violations).toEqual([]);
  }
  const counter = async (product: Product, name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${product.healthPort}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  /** kill -9 of the process that does the work; its supervisor starts it again. */
  const killRole = (name: MemberName): void => {
    for (const { pid } of cluster.member(name).roleProcesses()) process.kill(pid, 'SIGKILL');
  };

  it('given senders at one address, then both copies of each service work', async () => {
    const storing = sender();
    storing.start();
    await new Promise((done) => setTimeout(done, 4000));
    await storing.stop();
    expect(storing.failures).toBe(0);
    await assertPromise();
    for (const ingest of cluster.membersOf('ingest')) expect(await counter(ingest, 'vna_receipts_published_total')).toBeGreaterThan(0);
    for (const indexing of cluster.membersOf('indexing')) expect(await counter(indexing, 'vna_indexed_receipts_total')).toBeGreaterThan(0);
  }, 240_000);

  it(`given ${ROUNDS} kills of services, broker and S3 server at random moments, then nothing that was acknowledged is lost or doubled`, async () => {
    const victims: [string, () => Promise<void> | void][] = [
      ...(['ingest-a', 'ingest-b', 'indexing-a', 'indexing-b', 'lifecycle-a', 'dicomweb-a'] as const).map((name): [string, () => void] => [name, () => killRole(name)]),
      ['broker', async () => (await cluster.broker.kill(), await cluster.broker.restart())],
      ['s3', async () => (await cluster.s3.kill(), await new Promise((done) => setTimeout(done, 500)), await cluster.s3.restart())],
    ];
    for (let round = 0; round < ROUNDS; round++) {
      ledger.forget();
      const storing = sender();
      storing.start();
      await new Promise((done) => setTimeout(done, 500 + random.next(1500)));
      const [name, kill] = victims[round % victims.length]!;
      await kill();
      await new Promise((done) => setTimeout(done, 1000));
      await storing.stop();
      expect({ name, acknowledged: ledger.acknowledgedCount() > 0 }).toEqual({ name, acknowledged: true });
      await assertPromise();
    }
  }, 120_000 + ROUNDS * 150_000);

  it('given one copy of each service killed for good, then the other takes over within ten seconds', async () => {
    ledger.forget();
    const gone = (['ingest-a', 'indexing-a'] as const).map((name) => cluster.member(name));
    await Promise.all(gone.map((product) => product.killAll()));
    const storing = sender();
    storing.start();
    await new Promise((done) => setTimeout(done, 2000));
    await storing.stop();
    const acknowledged = ledger.acknowledgedCount();
    expect(acknowledged).toBeGreaterThan(0);
    const { violations } = await new PromiseChecker(cluster.web).check(ledger.snapshot(), 10_000 + 20_000);
    expect(violations).toEqual([]);
    await Promise.all(gone.map((product) => product.restart()));
    await assertPromise();
  }, 240_000);
});
