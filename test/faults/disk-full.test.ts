// A7: the disk fills up under the running product. Stores are refused with A700 and 507 (or 503), nothing is lost, and storing
// goes on by itself once there is room.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomRequestor } from '@perennia/dicom-net';
import { hasBackend, Ledger, part10Of, Product, PromiseChecker, syntheticObject } from '@perennia/testing';

const script = join(resolve(import.meta.dirname, '../..'), 'tools/powercut.sh');

(hasBackend('powercut') ? describe : describe.skip)('a full disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-full-'));
  const disk = join(directory, 'disk');
  const filler = join(disk, 'filler');
  let product: Product;
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  const root = `1.2.826.0.1.3680043.10.7.${Date.now()}`;
  let instance = 0;

  beforeAll(async () => {
    execFileSync('bash', [script, 'disk', disk, '900M']);
    product = await Product.start({
      dataDirectory: join(disk, 'data'),
      environment: { VNA_LOG_LEVEL: 'warn', VNA_LANDING_SEGMENT_SIZE: '16MiB', VNA_LANDING_SEGMENTS: '4', VNA_LANDING_RESERVE: '0B', VNA_MINIMUM_FREE: '0B', VNA_LIFECYCLE_SETTLE: '1h' },
    });
  }, 90_000);
  afterAll(async () => {
    ledger.close();
    await product?.stop();
    execFileSync('bash', [script, 'drop', disk]);
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  async function store(pixelBytes: number): Promise<number> {
    instance += 1;
    const object = syntheticObject({ root, study: 1, series: 1, instance, pixelBytes });
    const association = await DicomRequestor.connect({
      host: '127.0.0.1', port: product.dicomPort, callingAet: 'FULL', calledAet: 'PERENNIA',
      contexts: [{ abstractSyntax: object.sopClassUid, transferSyntaxes: [object.transferSyntaxUid] }],
    });
    ledger.sending([{ ...object, road: 'dimse' }].map(({ sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256, road }) => ({ sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256, road: road as 'dimse' })));
    const { status } = await association.store(object);
    ledger.answered([object.sopInstanceUid], status === 0 ? 'acknowledged' : 'refused');
    await association.release();
    return status;
  }

  async function stowStatus(pixelBytes: number): Promise<number> {
    const object = syntheticObject({ root, study: 2, series: 1, instance: 1, pixelBytes });
    const boundary = 'full';
    const response = await fetch(`${product.web}/studies`, {
      method: 'POST',
      headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`, accept: 'application/dicom+json' },
      body: Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`), part10Of(object), Buffer.from(`\r\n--${boundary}--\r\n`)]),
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** Takes what is free, to the last block: the product may be taking the same. */
  function fillDisk(): void {
    for (let take = 64 * 1024 * 1024; take >= 4096; take /= 2) {
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(take, 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }

  it('given a disk that fills up, when objects are stored, then they are refused with A700 and 507; and when there is room again, all goes on and nothing is lost', async () => {
    expect(await store(50_000)).toBe(0);
    fillDisk();
    const statuses: number[] = [];
    for (let n = 0; n < 40; n++) {
      statuses.push(await store(6 * 1024 * 1024));
      if (statuses.at(-1) !== 0) break;
    }
    expect(statuses.at(-1)!.toString(16)).toBe('a700');
    // Above the gathering limit: needs a file of its own, in either process.
    expect(await store(12 * 1024 * 1024)).toBe(0xa700);
    fillDisk();
    expect([507, 503]).toContain(await stowStatus(12 * 1024 * 1024));
    rmSync(filler);
    await expectEventually(() => store(6 * 1024 * 1024), 0);
    await product.untilReady();
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), 60_000);
    expect(violations).toEqual([]);
  }, 240_000);
});

async function expectEventually(action: () => Promise<number>, wanted: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const got = await action();
    if (got === wanted) return;
    if (Date.now() > deadline) expect(got).toBe(wanted);
    await new Promise((done) => setTimeout(done, 250));
  }
}
