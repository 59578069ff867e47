// A7: PostgreSQL is stopped (immediate) while senders store. No store fails, everything is indexed afterwards, nothing twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ledger, Product, PromiseChecker, PromiseSender } from '@perennia/testing';

/** Full size: 60 (npm run proof -- A7). */
const OUTAGE_SECONDS = Number(process.env['VNA_TEST_OUTAGE_SECONDS'] ?? 8);

describe('a database outage during ingest', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-outage-'));
  let product: Product;
  beforeAll(async () => {
    product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn' } });
  }, 90_000);
  afterAll(async () => {
    await product?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it(`given senders that keep storing, when PostgreSQL is stopped again and again for ${OUTAGE_SECONDS} s, then no store fails and all is indexed once`, async () => {
    const ledger = new Ledger(join(directory, 'ledger.jsonl'));
    const sender = new PromiseSender({ dicomPort: product.dicomPort, web: product.web, ledger, root: `1.2.826.0.1.3680043.10.4.${Date.now()}`, seed: 7, stowConnections: 0, largeEvery: 0 });
    sender.start();
    await new Promise((done) => setTimeout(done, 500));
    let stops = 0;
    const endMs = Date.now() + OUTAGE_SECONDS * 1000;
    while (Date.now() < endMs) {
      const postmaster = product.processes().find(({ command }) => /postgres.* -D /.test(command));
      if (postmaster) stops += tryQuit(postmaster.pid);
      await new Promise((done) => setTimeout(done, 100));
    }
    const duringOutage = ledger.acknowledgedCount();
    await new Promise((done) => setTimeout(done, 500));
    await sender.stop();
    expect(stops).toBeGreaterThan(0);
    expect(sender.failures).toBe(0);
    expect(ledger.snapshot().filter(({ state }) => state === 'refused')).toEqual([]);
    expect(duringOutage).toBeGreaterThan(OUTAGE_SECONDS * 10);
    await product.untilReady();
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), 60_000);
    ledger.close();
    expect(violations).toEqual([]);
  }, 240_000);
});

/** Immediate shutdown of PostgreSQL. @returns 1 when there was a process to stop */
function tryQuit(pid: number): number {
  try {
    process.kill(pid, 'SIGQUIT');
    return 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return 0;
  }
}
