// The services apart, two copies of each behind one address, on a real Kafka broker, S3 server and PostgreSQL. Any of them is killed, the log and
// the object store go away, one copy of each and then the other is restarted, while senders store and readers read: the promise holds (E2, E5).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, hasOwn, Ledger, PromiseChecker, PromiseSender, proofLine, SeededRandom, type MemberName, type Product } from '@perennia/testing';
import { StudyReader } from './study-reader.js';

/** Full size: 200 kills, 600 s without Kafka, 60 s without S3, taken over within 10 s (npm run proof -- E2; in two halves). */
const KILLS = Number(process.env['VNA_TEST_CLUSTER_KILLS'] ?? 6);
const KAFKA_OUTAGE_MS = Number(process.env['VNA_TEST_KAFKA_OUTAGE_SECONDS'] ?? 60) * 1000;
const S3_OUTAGE_MS = Number(process.env['VNA_TEST_S3_OUTAGE_SECONDS'] ?? 8) * 1000;
const TAKEN_OVER_WITHIN_MS = Number(process.env['VNA_TEST_TAKEOVER_SECONDS'] ?? 20) * 1000;
const SEED = Number(process.env['VNA_TEST_SEED'] ?? 20261127);
/** Full size: none. */
const LASTING_PAUSE_MS = Number(process.env['VNA_TEST_PAUSE_MS'] ?? 40);
const FOUND_WITHIN_MS = 120_000;
const DRAINED_WITHIN_MS = 300_000;
const PAGE = 1000;
const MIB = 2 ** 20;
const suite = hasOwn('kafka', 's3') ? describe : describe.skip;
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

suite('a cluster', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-cluster-'));
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  const random = new SeededRandom(SEED);
  let cluster: Cluster;
  let senders = 0;
  let latest: PromiseSender | undefined;

  beforeAll(async () => {
    const environment = { VNA_LIFECYCLE_SETTLE: '2s', VNA_INGEST_SHUTDOWN_GRACE: '2s' };
    cluster = await Cluster.start({ directory: join(directory, 'cluster'), copies: { ingest: 2, indexing: 2, lifecycle: 2, dicomweb: 2 }, environment });
  }, 300_000);
  afterEach(async () => {
    // Also when the test has failed: nobody is to store for ever.
    await latest?.stop();
    ledger.forget();
  });
  afterAll(async () => {
    await cluster?.stop();
    ledger.close();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  /** @param pauseMs for senders whose load is to last */
  function startSender(pauseMs = 0): PromiseSender {
    const root = `1.2.826.0.1.3680043.10.4.${Date.now()}.${++senders}`;
    const sender = new PromiseSender({ dicomPort: cluster.dicomPort, web: cluster.web, ledger, root, seed: SEED + senders, largeEvery: 60, pauseMs, ...(pauseMs > 0 && { stowConnections: 0 }) });
    sender.start();
    latest = sender;
    return sender;
  }
  /** Of the studies of the ledger, as QIDO-RS counts them. */
  async function foundInstances(): Promise<number> {
    const wanted = new Set(ledger.snapshot().map(({ studyInstanceUid }) => studyInstanceUid));
    let found = 0;
    for (let offset = 0; ; offset += PAGE) {
      const response = await fetch(`${cluster.web}/studies?limit=${PAGE}&offset=${offset}`, { headers: { accept: 'application/dicom+json' } });
      const studies = response.status === 200 ? ((await response.json()) as Record<string, { Value?: unknown[] }>[]) : [];
      for (const study of studies) if (wanted.has(String(study['0020000D']?.Value?.[0]))) found += Number(study['00201208']?.Value?.[0]);
      if (studies.length < PAGE) return found;
    }
  }
  async function assertPromise(withinMs = FOUND_WITHIN_MS): Promise<void> {
    const { violations } = await new PromiseChecker(cluster.web).check(ledger.snapshot(), withinMs);
    expect(violations).toEqual([]);
  }
  const counted = async (product: Product, name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${product.healthPort}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  /** kill -9 of the process that does the work; its supervisor starts it again. */
  const killRole = (name: MemberName): void => {
    for (const { pid } of cluster.member(name).roleProcesses()) process.kill(pid, 'SIGKILL');
  };
  const residentBytes = (product: Product): number =>
    Math.max(...product.roleProcesses().map(({ pid }) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024));

  it('given senders at one address, then both copies of each service work', async () => {
    const work = { ingest: 'vna_receipts_published_total', indexing: 'vna_indexed_receipts_total', lifecycle: 'vna_filed_objects_total', dicomweb: 'vna_dicomweb_request_seconds_count' } as const;
    const isIdle = async (): Promise<boolean> => {
      const counts = Object.entries(work).flatMap(([role, name]) => cluster.membersOf(role as keyof typeof work).map((product) => counted(product, name)));
      return (await Promise.all(counts)).includes(0);
    };
    const storing = startSender();
    while (await isIdle()) await pause(500);
    await storing.stop();
    expect(storing.failures).toBe(0);
    await assertPromise();
  }, 240_000);

  it(`given ${KILLS} kills of services, broker and S3 server at random moments, then nothing that was acknowledged is lost or doubled`, async () => {
    const services = [...cluster.members.keys()].map((name): [string, () => void] => [name, () => killRole(name)]);
    const victims: [string, () => Promise<void> | void][] = [
      ...services,
      ['broker', async () => (await cluster.broker.kill(), await cluster.broker.restart())],
      ['s3', async () => (await cluster.s3.kill(), await pause(500), await cluster.s3.restart())],
    ];
    const first = random.next(victims.length);
    for (let round = 0; round < KILLS; round++) {
      ledger.forget();
      const storing = startSender();
      await pause(300 + random.next(1000));
      const [name, kill] = victims[(first + round * 3) % victims.length]!;
      await kill();
      await pause(700);
      await storing.stop();
      expect({ name, acknowledged: ledger.acknowledgedCount() > 0 }).toEqual({ name, acknowledged: true });
      await cluster.untilReady();
      await assertPromise();
    }
  }, 120_000 + KILLS * 150_000);

  it('given one copy of each service killed with its supervisor, then the others take over', async () => {
    const gone = (['ingest-a', 'indexing-a', 'lifecycle-a', 'dicomweb-a'] as const).map((name) => cluster.member(name));
    await Promise.all(gone.map((product) => product.killAll()));
    const killedAt = Date.now();
    const storing = startSender();
    await pause(1000);
    await storing.stop();
    expect(ledger.acknowledgedCount()).toBeGreaterThan(0);
    await assertPromise(TAKEN_OVER_WITHIN_MS - (Date.now() - killedAt));
    await Promise.all(gone.map((product) => product.restart()));
    await cluster.untilReady();
    await assertPromise();
  }, 240_000);

  it(`given a broker that is away for ${KAFKA_OUTAGE_MS / 1000} s, then no store fails, and everything is found within five minutes after`, async () => {
    const storing = startSender(LASTING_PAUSE_MS);
    await pause(500);
    await cluster.broker.kill();
    await pause(KAFKA_OUTAGE_MS);
    // A balancer keeps those that take objects in or are read from.
    const called = [...cluster.membersOf('ingest'), ...cluster.membersOf('dicomweb')];
    expect(await Promise.all(called.map((each) => each.isReady()))).toEqual(called.map(() => true));
    expect(await cluster.member('indexing-a').isReady()).toBe(false);
    await storing.stop();
    expect(storing.failures).toBe(0);
    expect(ledger.snapshot().filter(({ state }) => state === 'refused')).toEqual([]);
    expect(ledger.acknowledgedCount()).toBeGreaterThan(KAFKA_OUTAGE_MS / 200);
    await cluster.broker.restart();
    const backAt = Date.now();
    const stored = ledger.acknowledgedCount();
    while ((await foundInstances()) < stored) await pause(500);
    const drainedMs = Date.now() - backAt;
    proofLine(`${stored} instances stored without Kafka for ${KAFKA_OUTAGE_MS / 1000} s, all found ${Math.round(drainedMs / 1000)} s after it was back`);
    expect(drainedMs).toBeLessThan(DRAINED_WITHIN_MS);
    await assertPromise();
    await cluster.untilReady();
  }, KAFKA_OUTAGE_MS + DRAINED_WITHIN_MS + 900_000);

  it(`given an S3 server that is away for ${S3_OUTAGE_MS / 1000} s, then senders are told so, memory stays flat, and storing goes on by itself`, async () => {
    const before = cluster.membersOf('ingest').map(residentBytes);
    const storing = startSender();
    await pause(1000);
    await cluster.s3.kill();
    await pause(S3_OUTAGE_MS);
    const during = cluster.membersOf('ingest').map(residentBytes);
    // At once or when the deadline of a call has passed: a busy machine may take longer than the outage.
    while (!ledger.snapshot().some(({ state }) => state === 'refused')) await pause(100);
    during.forEach((bytes, index) => expect(bytes - before[index]!).toBeLessThan(160 * MIB));
    const acknowledged = ledger.acknowledgedCount();
    await cluster.s3.restart();
    while (ledger.acknowledgedCount() < acknowledged + 20) await pause(100);
    await storing.stop();
    await cluster.untilReady();
    await assertPromise();
  }, S3_OUTAGE_MS + 240_000);

  it('given a restart of one copy of each service and then of the other, under load, then nothing that was acknowledged is lost and no read fails for good', async () => {
    const storing = startSender(LASTING_PAUSE_MS);
    const reader = new StudyReader(cluster.web, ledger);
    reader.start();
    for (const copy of ['a', 'b']) {
      const ofAll = [...cluster.members].filter(([name]) => name.endsWith(`-${copy}`));
      await Promise.all(ofAll.map(async ([, product]) => (await product.stop(), await product.restart())));
    }
    await storing.stop();
    await reader.stop();
    expect(reader.reads).toBeGreaterThan(0);
    expect(reader.failures).toEqual([]);
    await cluster.untilReady();
    await assertPromise();
  }, 360_000);
});
