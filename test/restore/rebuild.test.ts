// A8: the index is rebuilt from landing and packs alone, into an emptied database, and equals what was there before.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Product, stow, syntheticObject } from '@perennia/testing';

const repository = resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'perennia-rebuild-'));
let product: Product;

beforeAll(async () => {
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn', VNA_LIFECYCLE_SETTLE: '1s' } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function vna(...parameters: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(join(repository, 'node_modules/.bin/node'), [join(repository, 'services/cli/dist/main.js'), ...parameters, '--json'], {
    env: { ...process.env, VNA_DATA: join(directory, 'data'), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort), VNA_HEALTH_PORT: String(product.healthPort) },
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('rebuild-index', () => {
  it.each([[[]], [['--bare']]])('given an archive of packs and landing records, when the index is rebuilt %j, then its digest is the same', async (flags) => {
    const root = `1.2.826.0.1.3680043.10.11.${Date.now()}`;
    for (let study = 1; study <= 6; study++) {
      await stow(product.web, Array.from({ length: 20 }, (_, n) => syntheticObject({ root, study, series: 1 + (n % 3), instance: n + 1, pixelBytes: 3000 })));
    }
    // A conflict, and records that are still in the landing area when the product stops.
    await stow(product.web, [syntheticObject({ root, study: 1, series: 1, instance: 1, pixelBytes: 3000, flavour: 9 })]);
    await new Promise((done) => setTimeout(done, 3000));
    await stow(product.web, [syntheticObject({ root, study: 7, series: 1, instance: 1, pixelBytes: 3000 })]);
    await product.stop();
    const rebuilt = await vna('rebuild-index', '--yes', ...flags);
    expect(rebuilt['digestAfter']).toBe(rebuilt['digestBefore']);
    expect(rebuilt['instances']).toBeGreaterThanOrEqual(121);
    await product.restart();
    const response = await fetch(`${product.web}/studies?StudyInstanceUID=${root}.1`);
    const [study] = (await response.json()) as [Record<string, { Value: unknown[] }>];
    expect(study['00201208']!.Value).toEqual([20]);
  }, 240_000);
});
