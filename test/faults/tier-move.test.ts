// R17: filing and second-tier copies are killed again and again (K15: before what was written is switched to; K16: when a landing segment was given
// back) while readers read single instances: bytes stand verified somewhere at every moment, and no read fails.
import { mkdtempSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ledger, Product, PromiseChecker, proofLine, PromiseSender, SeededRandom, type LedgerEntry } from '@perennia/testing';

/** Full size: 10,000 reads and 60 kills (npm run proof -- E3). */
const READS = Number(process.env['VNA_TEST_MOVE_READS'] ?? 600);
const KILLS = Number(process.env['VNA_TEST_MOVE_KILLS'] ?? 4);
const SEED = Number(process.env['VNA_TEST_SEED'] ?? 17);
const READERS = 2;
const STRIKES_WITHIN_MS = 60_000;
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('copies that move', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-move-'));
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  const random = new SeededRandom(SEED);
  const failures: string[] = [];
  let product: Product;
  let reads = 0;
  let reading = true;

  beforeAll(async () => {
    const tiers = [{ name: 'hot', kind: 'file', directory: 'objects' }, { name: 'copies', kind: 'file', directory: 'copies' }];
    product = await Product.start({
      dataDirectory: join(directory, 'data'),
      environment: {
        VNA_STORAGE_TIERS: JSON.stringify(tiers), VNA_STORAGE_SECOND: 'copies', VNA_LIFECYCLE_SETTLE: '1s', VNA_LOG_LEVEL: 'warn',
        VNA_LANDING_SEGMENT_SIZE: '16MiB', VNA_LANDING_SEGMENTS: '2', VNA_LANDING_MAX_SEGMENTS: '20', VNA_LANDING_RECYCLE_GRACE: '0s',
      },
    });
  }, 120_000);
  afterAll(async () => {
    await product?.stop();
    ledger.close();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  /** What is acknowledged may be found a moment later: only then it is read. */
  async function readOnce(entry: LedgerEntry, found: Set<string>): Promise<void> {
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sha256 } = entry;
    const response = await fetch(`${product.web}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`, {
      headers: { accept: 'application/dicom; transfer-syntax=*' }, signal: AbortSignal.timeout(30_000),
    }).catch((error: unknown) => String((error as Error).cause ?? error));
    if (typeof response === 'string') return void failures.push(`${sopInstanceUid}: ${response}`);
    const body = Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
    if (response.status === 404 && !found.has(sopInstanceUid)) return pause(50);
    reads += 1;
    if (response.status !== 200) return void failures.push(`${sopInstanceUid}: ${response.status} ${body.toString('utf8').slice(0, 200)}`);
    found.add(sopInstanceUid);
    const dataset = body.subarray(144 + body.readUInt32LE(140));
    if (createHash('sha256').update(dataset).digest('hex') !== sha256) failures.push(`${sopInstanceUid}: other bytes`);
  }
  async function keepReading(): Promise<void> {
    const found = new Set<string>();
    while (reading) {
      const entries = ledger.snapshot().filter(({ state }) => state === 'acknowledged');
      // Old ones and new ones: those that are being filed are the interesting ones.
      const recent = Math.min(entries.length, 400);
      const entry = entries[random.next(2) === 0 ? random.next(Math.max(1, entries.length)) : entries.length - 1 - random.next(Math.max(1, recent))];
      if (entry) await readOnce(entry, found);
      else await pause(20);
    }
  }
  async function killAt(point: string): Promise<boolean> {
    const firedBefore = product.firedCount();
    // Readers ask the web: it serves, and is not what is killed here.
    product.arm(`${point}:kill:${1 + random.next(3)}`, ['ingest', 'worker']);
    const deadline = Date.now() + STRIKES_WITHIN_MS;
    while (product.firedCount() === firedBefore && Date.now() < deadline) await pause(20);
    return product.firedCount() > firedBefore;
  }

  it(`given filing and copying that are killed ${KILLS} times, when ${READS} instances are read meanwhile, then no read fails`, async () => {
    const sender = new PromiseSender({ dicomPort: product.dicomPort, web: product.web, ledger, root: `1.2.826.0.1.3680043.10.17.${Date.now()}`, seed: SEED, stowConnections: 0, pauseMs: 25 });
    sender.start();
    const readers = Array.from({ length: READERS }, () => keepReading());
    let fired = 0;
    for (let round = 0; round < KILLS || reads < READS; round++) {
      if (round < KILLS) fired += (await killAt(round % 2 === 0 ? 'K15' : 'K16')) ? 1 : 0;
      await pause(300 + random.next(700));
      await product.untilReady();
    }
    await sender.stop();
    reading = false;
    await Promise.all(readers);
    proofLine(`R17: ${fired} kills at K15 and K16 in turn, ${reads} reads meanwhile, ${failures.length} failed (seed ${SEED}); ${ledger.acknowledgedCount()} instances acknowledged`);
    expect(failures).toEqual([]);
    expect(fired).toBeGreaterThanOrEqual(Math.ceil(KILLS * 0.75));
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), 120_000);
    expect(violations).toEqual([]);
  }, 240_000 + KILLS * 70_000 + READS * 100);
});
