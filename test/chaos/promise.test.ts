// The promise under kill -9: at every fault point and at random moments. Full size: npm run proof -- A6
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FAULT_POINTS, KillRounds, Product } from '@perennia/testing';
import { quickArchive } from './quick-archive.js';

const ROUNDS = 3;

describe('the promise, while processes are killed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-promise-'));
  let product: Product;
  let rounds: KillRounds;

  beforeAll(async () => {
    product = await Product.start({ dataDirectory: join(directory, 'data'), environment: quickArchive });
    rounds = new KillRounds({ product, ledgerFile: join(directory, 'ledger.jsonl'), seed: 20261122 });
  });
  afterAll(async () => {
    rounds?.close();
    await product?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([...FAULT_POINTS, 'random', 'all'])('given a sender that keeps storing, when a process is killed at %s, then nothing acknowledged is missing', async (point) => {
    for (let round = 1; round <= ROUNDS; round++) {
      const { fired, report, seed } = await rounds.round(point, round);
      expect({ point, round, seed, fired, violations: report.violations }).toEqual({ point, round, seed, fired: true, violations: [] });
      expect(report.acknowledged).toBeGreaterThan(0);
    }
  }, 240_000);
});
