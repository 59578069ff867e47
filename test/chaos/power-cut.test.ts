// The promise under power cuts: the disk as it was at one instant, PostgreSQL on the same image. Full size: npm run proof -- A6
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hasBackend, PowerCuts } from '@perennia/testing';
import { quickArchive } from './quick-archive.js';

const CUTS = 20;

(hasBackend('powercut') ? describe : describe.skip)('the promise, when the power goes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-power-'));
  const cuts = new PowerCuts({ directory, seed: 20261122, environment: quickArchive });
  beforeAll(() => cuts.start(), 120_000);
  afterAll(async () => {
    await cuts.stop();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  it(`given a sender that keeps storing, when the power is cut ${CUTS} times, then everything acknowledged is on the disk`, async () => {
    let acknowledged = 0;
    for (let number = 1; number <= CUTS; number++) {
      const { report, seed } = await cuts.cut(number);
      expect({ number, seed, violations: report.violations }).toEqual({ number, seed, violations: [] });
      acknowledged += report.acknowledged;
    }
    expect(acknowledged).toBeGreaterThan(CUTS * 10);
  }, 600_000);
});
