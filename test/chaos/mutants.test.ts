// A test that cannot fail proves nothing: each switch that breaks the promise on purpose must be found by the check it concerns.
// (early-acknowledgement and skip-fdatasync are also found by acknowledge-after-sync.test.ts.)
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { damageBytes, hasBackend, holdsBytes, KillRounds, Ledger, PowerCuts, Product, PromiseChecker, PromiseSender, stow, syntheticObject } from '@perennia/testing';
import { quickArchive } from './quick-archive.js';

/** What a mutant lost does not come back: no need to wait for it for long. */
const FINDABLE_MS = 10_000;
const directories: string[] = [];
function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-mutant-'));
  directories.push(directory);
  return directory;
}
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

async function whileRunning<T>(environment: Record<string, string>, work: (product: Product, directory: string) => Promise<T>): Promise<T> {
  const directory = scratch();
  const product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { ...quickArchive, ...environment } });
  try {
    return await work(product, directory);
  } finally {
    await product.killAll();
  }
}

(hasBackend('powercut') ? describe : describe.skip)('mutants that a power cut finds', () => {
  it.each(['early-acknowledgement', 'skip-fdatasync', 'skip-folder-fsync'])('%s', async (mutant) => {
    const cuts = new PowerCuts({ directory: scratch(), seed: 1, findableWithinMs: FINDABLE_MS, environment: { ...quickArchive, VNA_MUTANT: mutant } });
    await cuts.start();
    let violations = 0;
    try {
      for (let number = 1; number <= 20 && violations === 0; number++) violations = (await cuts.cut(number)).report.violations.length;
    } finally {
      await cuts.stop();
    }
    expect(violations).toBeGreaterThan(0);
  }, 600_000);
});

describe('mutants that a kill finds', () => {
  it('offset-before-effect: the relay stores its position before the receipts are in the log', async () => {
    const violations = await whileRunning({ VNA_MUTANT: 'offset-before-effect' }, async (product, directory) => {
      const rounds = new KillRounds({ product, ledgerFile: join(directory, 'ledger.jsonl'), seed: 3, findableWithinMs: FINDABLE_MS });
      let found = 0;
      for (let round = 1; round <= 10 && found === 0; round++) found = (await rounds.round('K11', round)).report.violations.length;
      rounds.close();
      return found;
    });
    expect(violations).toBeGreaterThan(0);
  }, 400_000);
});

describe('mutants that time finds', () => {
  it('recycle-before-filed: a segment is used again before its records are verified in packs', async () => {
    const violations = await whileRunning({ VNA_MUTANT: 'recycle-before-filed', VNA_LIFECYCLE_SETTLE: '60s', VNA_LANDING_SEGMENTS: '2', VNA_LANDING_MAX_SEGMENTS: '3' }, async (product, directory) => {
      const ledger = new Ledger(join(directory, 'ledger.jsonl'));
      const sender = new PromiseSender({ dicomPort: product.dicomPort, web: product.web, ledger, root: `1.2.826.0.1.3680043.10.9.${Date.now()}`, seed: 5, largeEvery: 0 });
      sender.start();
      await new Promise((done) => setTimeout(done, 12_000));
      await sender.stop();
      const { violations: found } = await new PromiseChecker(product.web).check(ledger.snapshot(), FINDABLE_MS);
      ledger.close();
      return found.length;
    });
    expect(violations).toBeGreaterThan(0);
  }, 400_000);
});

describe('a resend while the kept copy is bad', () => {
  async function servedAfterResend(environment: Record<string, string>): Promise<string[]> {
    return whileRunning({ ...environment, VNA_PROCESSES: '1' }, async (product, directory) => {
      const object = syntheticObject({ root: `1.2.826.0.1.3680043.10.10.${Date.now()}`, study: 1, series: 1, instance: 1, pixelBytes: 40_000 });
      const objects = join(directory, 'data/objects');
      expect(await stow(product.web, [object])).toEqual([object.sopInstanceUid]);
      await until(() => holdsBytes(objects, object.dataset));
      // The landing copy must be gone from service before the pack rots.
      await new Promise((done) => setTimeout(done, 1500));
      expect(damageBytes(objects, object.dataset)).toBe(1);
      expect(await stow(product.web, [object])).toEqual([object.sopInstanceUid]);
      await new Promise((done) => setTimeout(done, 6000));
      const ledger = new Ledger(join(directory, 'ledger.jsonl'));
      ledger.sending([{ sopInstanceUid: object.sopInstanceUid, seriesInstanceUid: object.seriesInstanceUid, studyInstanceUid: object.studyInstanceUid, sha256: object.sha256, road: 'stow' }]);
      ledger.answered([object.sopInstanceUid], 'acknowledged');
      const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), 5000);
      ledger.close();
      return violations;
    });
  }

  it('given the product as it is, then the new bytes take the place of the bad ones', async () => {
    expect(await servedAfterResend({})).toEqual([]);
  }, 120_000);

  it('duplicate-by-digest-alone: given the mutant, then the same check finds the loss', async () => {
    expect(await servedAfterResend({ VNA_MUTANT: 'duplicate-by-digest-alone' })).not.toEqual([]);
  }, 120_000);
});

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('The condition did not come true.');
}
