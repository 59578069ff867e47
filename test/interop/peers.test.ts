// Real peers against the running product: dcmtk and pynetdicom send, dicomweb-client stores, searches and retrieves (A2).
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dcmtkTool, hasBackend, Ledger, Product, PromiseChecker, syntheticObject, writePart10, type SyntheticObject } from '@perennia/testing';

const run = promisify(execFile);
// Without it dcmtk waits about 40 ms for each message on loopback.
const env = { ...process.env, TCP_NODELAY: '1' };

const directory = mkdtempSync(join(tmpdir(), 'perennia-peers-'));
let product: Product;
let serial = 0;

beforeAll(async () => {
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn' } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function study(count: number): { folder: string; objects: SyntheticObject[]; files: string[] } {
  serial += 1;
  const folder = join(directory, `study${serial}`);
  mkdirSync(folder);
  const objects = Array.from({ length: count }, (_, index) =>
    syntheticObject({ root: `1.2.826.0.1.3680043.10.3.${Date.now()}`, study: serial, series: 1, instance: index + 1, pixelBytes: 20_000 + index * 1000 }));
  return { folder, objects, files: objects.map((object) => writePart10(object, folder)) };
}

async function expectKept(objects: readonly SyntheticObject[]): Promise<void> {
  const ledger = new Ledger(join(directory, `ledger${serial}.jsonl`));
  ledger.sending(objects.map(({ sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256 }) => ({ sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256, road: 'dimse' })));
  ledger.answered(objects.map(({ sopInstanceUid }) => sopInstanceUid), 'acknowledged');
  const { violations, acknowledged } = await new PromiseChecker(product.web).check(ledger.snapshot());
  ledger.close();
  expect({ violations, acknowledged }).toEqual({ violations: [], acknowledged: objects.length });
}

(hasBackend('dcmtk') ? describe : describe.skip)('dcmtk', () => {
  it('D01 given the running archive, when echoscu asks, then it answers', async () => {
    await run(dcmtkTool('echoscu')!, ['-aec', 'PERENNIA', '127.0.0.1', String(product.dicomPort)], { env });
  });
  it('given another called AE title, when echoscu asks, then the association is rejected', async () => {
    await expect(run(dcmtkTool('echoscu')!, ['-aec', 'SOMEBODY', '127.0.0.1', String(product.dicomPort)], { env })).rejects.toThrow(/called AE title not recogni[sz]ed/i);
  });
  it.each([['storescu', ['+sd', '-R']], ['dcmsend', ['+sd', '-nuc']]])('given a folder, when %s sends it, then every dataset is kept byte for byte', async (tool, flags) => {
    const { folder, objects } = study(12);
    await run(dcmtkTool(tool)!, [...flags, '-aec', 'PERENNIA', '127.0.0.1', String(product.dicomPort), folder], { env });
    await expectKept(objects);
  });
});

(hasBackend('python') ? describe : describe.skip)('Python peers', () => {
  it('given files, when pynetdicom sends them, then each gets success and is kept byte for byte', async () => {
    const { objects, files } = study(6);
    const { stdout } = await run('python3', [join(import.meta.dirname, 'pynetdicom_store.py'), '127.0.0.1', String(product.dicomPort), ...files]);
    expect(Object.values(JSON.parse(stdout) as object)).toEqual(files.map(() => '0000'));
    await expectKept(objects);
  });
  it('given files, when dicomweb-client stores, searches and retrieves them, then all of it works', async () => {
    const { objects, files } = study(4);
    const { stdout } = await run('python3', [join(import.meta.dirname, 'dicomweb_roundtrip.py'), product.web, ...files]);
    expect(JSON.parse(stdout)).toEqual({ stored: 4, found: 4, retrieved: 4, metadata: 4, frames: 4, bulkdata: 4 });
    expect(objects).toHaveLength(4);
  });
});
