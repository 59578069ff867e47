// What an S3 store charges for: requests of all services together for landing, filing and metadata of small objects (E4). Counted, not timed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, countedStore, hasOwn, type CountedResult } from '@perennia/testing';

/** Objects of 9.6 KB, as test/load/gen.py makes tiny ones; studies as large as there. */
const TINY = { studies: 2, perStudy: 125, pixelBytes: 9000, keepLanding: true };
const suite = hasOwn('kafka', 's3') ? describe : describe.skip;

suite('A cluster on S3', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-requests-'));
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ directory, environment: { VNA_LIFECYCLE_SETTLE: '2s' } });
  }, 300_000);
  afterAll(async () => {
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  const perThousand = ({ requests, instances }: CountedResult): number => (Object.values(requests).reduce((sum, count) => sum + count, 0) * 1000) / instances;

  it('given tiny objects over eight associations, then 1,000 of them take at most 350 requests', async () => {
    const result = await countedStore(cluster, { ...TINY, road: 'dimse', parallel: 8 });
    process.stderr.write(`C-STORE: ${JSON.stringify(result)}\n`);
    expect(perThousand(result)).toBeLessThanOrEqual(350);
  }, 120_000);

  it('given tiny objects by STOW-RS over four connections, then 1,000 of them take at most 60 requests', async () => {
    const result = await countedStore(cluster, { ...TINY, studies: 8, road: 'stow', parallel: 4, perBody: 50 });
    process.stderr.write(`STOW-RS: ${JSON.stringify(result)}\n`);
    expect(perThousand(result)).toBeLessThanOrEqual(60);
  }, 120_000);
});
