// What the copies of services leave in a shared store: each in an area of its own. A copy that takes objects in and never comes back: what it acknowledged and had not published is published, filed and released by the others. And
// one that was only thought to be gone: it takes its area over again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, foundStudies, hasOwn, Ledger, PromiseChecker, PromiseSender, s3RequestOrThrow } from '@perennia/testing';

const suite = hasOwn('kafka', 's3') ? describe : describe.skip;
const FOUND_WITHIN_MS = 60_000;
/** Fences and marks of the log have no records: they are a head alone (docs/formats/landing.md). */
const HEAD_BYTES = 64;

suite('a landing area in a shared store', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-adoption-'));
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  let cluster: Cluster;
  let senders = 0;

  beforeAll(async () => {
    cluster = await Cluster.start({ directory: join(directory, 'cluster'), copies: { ingest: 2, retrieve: 1 }, environment: { VNA_LANDING_ADOPT_AFTER: '2s', VNA_LIFECYCLE_SETTLE: '1s' } });
  }, 300_000);
  afterAll(async () => {
    await cluster?.stop();
    ledger.close();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  /** To one copy, by C-STORE, until it has acknowledged something. */
  async function store({ dicomPort }: { dicomPort: number }): Promise<void> {
    ledger.forget();
    const root = `1.2.826.0.1.3680043.10.6.${Date.now()}.${++senders}`;
    const sender = new PromiseSender({ dicomPort, web: cluster.web, ledger, root, seed: senders, stowConnections: 0, largeEvery: 30 });
    sender.start();
    await until(async () => ledger.acknowledgedCount() >= 40);
    await sender.stop();
  }
  async function assertPromise(): Promise<void> {
    const { violations } = await new PromiseChecker(cluster.web).check(ledger.snapshot(), FOUND_WITHIN_MS);
    expect(violations).toEqual([]);
  }
  async function segmentsOf(owner: string): Promise<string[]> {
    const [{ bucket }] = JSON.parse(cluster.environment['VNA_STORAGE_TIERS']!) as [{ bucket: string }];
    const listed = await s3RequestOrThrow(cluster.s3.access, { method: 'GET', path: `/${bucket}`, query: { 'list-type': '2', prefix: `work/landing/${owner}/` } });
    const found = [...listed.matchAll(/<Contents>.*?<\/Contents>/gs)].map(([contents]) => ({ key: /<Key>([^<]+)/.exec(contents)![1]!, bytes: Number(/<Size>(\d+)/.exec(contents)![1]) }));
    return found.filter(({ bytes }) => bytes > HEAD_BYTES).map(({ key }) => key);
  }

  it('given a service that answers queries, then it finds what came in through reception; what it is sent itself stands in its own area', async () => {
    await store({ dicomPort: cluster.dicomPort });
    await assertPromise();
    const received = studiesOf(ledger);
    expect(await foundStudies(cluster.queryPort)).toEqual(received);
    await store({ dicomPort: cluster.queryPort });
    expect(await segmentsOf('retrieve-a')).not.toEqual([]);
    await assertPromise();
    expect(await foundStudies(cluster.queryPort)).toEqual([...received, ...studiesOf(ledger)].toSorted());
  }, 120_000);

  it('given a copy killed for good with what it had acknowledged unpublished, then it becomes findable, is filed, and its segments go', async () => {
    const gone = cluster.member('ingest-a');
    await cluster.broker.kill();
    await store(gone);
    await gone.killAll();
    await cluster.broker.restart();
    expect(await segmentsOf('ingest-a')).not.toEqual([]);
    await assertPromise();
    await until(async () => (await segmentsOf('ingest-a')).length === 0);
    await assertPromise();
    expect(cluster.member('lifecycle-a').output).toContain('what it left is worked off here');
  }, 240_000);

  it('given that copy started again after all, then it takes its area over and receives as before', async () => {
    const back = cluster.member('ingest-a');
    await back.restart();
    await store(back);
    await assertPromise();
  }, 120_000);

  it('given a copy that stood still so long that its area was adopted, when it goes on, then it acknowledges nothing until it has opened the area again', async () => {
    const paused = cluster.member('ingest-b');
    const before = paused.roleProcesses().map(({ pid }) => pid);
    for (const pid of before) process.kill(pid, 'SIGSTOP');
    await until(async () => cluster.member('lifecycle-a').output.includes('"owner":"ingest-b"'));
    for (const pid of before) process.kill(pid, 'SIGCONT');
    await store(paused);
    expect(paused.roleProcesses().map(({ pid }) => pid)).not.toEqual(before);
    await assertPromise();
  }, 120_000);
});

const studiesOf = (ledger: Ledger): string[] => [...new Set(ledger.snapshot().map(({ studyInstanceUid }) => studyInstanceUid))].toSorted();

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setTimeout(done, 100));
}
