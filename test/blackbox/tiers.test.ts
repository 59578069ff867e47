// Two tiers as a configuration names them, files and S3: what is filed stands verified in both; what rots in one is found by `vna verify`,
// served from the other and made anew (R16 small); readers notice nothing while copies move (R17 small).
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hasOwn, Ledger, Product, PromiseChecker, PromiseSender, S3Server } from '@perennia/testing';
import { runVna, runVnaJson } from '../startup/run-vna.js';

const suite = hasOwn('s3') ? describe : describe.skip;
interface Verified {
  instances: number;
  copies: number;
  damaged: { sopInstanceUid: string; place: string }[];
}

suite('an archive with a hot tier of files and a second one on S3', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-tiers-'));
  const data = join(directory, 'data');
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  let server: S3Server;
  let product: Product;
  let environment: Record<string, string>;

  beforeAll(async () => {
    server = await S3Server.start();
    const bucket = await server.createBucket();
    const { endpoint, accessKeyId, secretAccessKey } = server.access;
    writeFileSync(join(directory, 'secret'), secretAccessKey);
    const tiers = [
      { name: 'hot', kind: 'file', directory: 'objects' },
      { name: 'archive', kind: 's3', endpoint, bucket, accessKeyId, secretAccessKeyFile: join(directory, 'secret') },
    ];
    environment = { VNA_STORAGE_TIERS: JSON.stringify(tiers), VNA_STORAGE_SECOND: 'archive', VNA_LIFECYCLE_SETTLE: '1s', VNA_LOG_LEVEL: 'warn' };
    product = await Product.start({ dataDirectory: data, environment });
    environment = { ...environment, VNA_DATA: data, VNA_HEALTH_PORT: String(product.healthPort), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort) };
  }, 180_000);
  afterAll(async () => {
    await product?.stop();
    await server?.remove();
    ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const verify = (): Promise<Verified> => runVnaJson<Verified>(environment, 'verify');
  async function until(enough: (verified: Verified) => boolean): Promise<Verified> {
    for (;;) {
      const verified = await verify();
      if (enough(verified)) return verified;
    }
  }
  const assertPromise = async (): Promise<void> => {
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), 60_000);
    expect(violations).toEqual([]);
  };

  it('given studies that are filed while they are read, then every instance has two verified copies and no read fails', async () => {
    const sender = new PromiseSender({ dicomPort: product.dicomPort, web: product.web, ledger, root: `1.2.826.0.1.3680043.10.4.${Date.now()}`, seed: 5, stowConnections: 0 });
    sender.start();
    await new Promise((done) => setTimeout(done, 2500));
    await sender.stop();
    const stored = ledger.acknowledgedCount();
    expect(sender.failures).toBe(0);
    let moving = true;
    const reading = (async () => {
      while (moving) await assertPromise();
    })();
    const { damaged } = await until(({ instances, copies }) => instances >= stored && copies === 2 * instances);
    moving = false;
    await reading;
    expect(damaged).toEqual([]);
  }, 240_000);

  it('given bits that flipped in packs of the hot tier, then one look finds each, nothing of them is served afterwards, and all are made anew', async () => {
    const rotten = rotPacks(join(data, 'objects'), 10);
    const found = await runVna(environment, 'verify', '--json');
    expect(found.code).toBe(1);
    const { damaged } = JSON.parse(found.stdout) as Verified;
    expect(damaged.length).toBeGreaterThanOrEqual(1);
    expect(new Set(damaged.map(({ place }) => place.split('/').at(-1)))).toEqual(new Set(rotten));
    await assertPromise();
    await until((verified) => verified.damaged.length === 0);
    expect((await runVnaJson<{ quarantine: unknown[] }>(environment, 'status', '--quarantine')).quarantine).toEqual([]);
    await assertPromise();
  }, 240_000);

  it('given bits that flipped where nobody has looked for a while, then readers are given the other copy, and the bad one is found and made anew', async () => {
    rotPacks(join(data, 'objects'), 10);
    await product.stop();
    await product.restart({ environment: { VNA_STORAGE_TRUST: '0s' } });
    await assertPromise();
    await until((verified) => verified.damaged.length === 0);
    await product.stop();
    await product.restart();
  }, 240_000);

  it('given a second tier that is away, then storing and reading go on, and what was filed meanwhile is copied when it is back', async () => {
    await server.kill();
    const sender = new PromiseSender({ dicomPort: product.dicomPort, web: product.web, ledger, root: `1.2.826.0.1.3680043.10.4.${Date.now()}`, seed: 6, stowConnections: 0 });
    sender.start();
    await new Promise((done) => setTimeout(done, 1500));
    await sender.stop();
    expect(sender.failures).toBe(0);
    await assertPromise();
    await server.restart();
    const stored = ledger.acknowledgedCount();
    const { damaged } = await until(({ instances, copies }) => instances >= stored && copies === 2 * instances);
    expect(damaged).toEqual([]);
  }, 240_000);
});

/** Flips a bit in the middle of the data of some packs. @returns their file names */
function rotPacks(folder: string, most: number): string[] {
  const packs = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.includes('.pack')).slice(0, most);
  for (const { parentPath, name } of packs) {
    const file = openSync(join(parentPath, name), 'r+');
    const at = Math.floor(statSync(join(parentPath, name)).size / 4);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    writeSync(file, Buffer.from([byte[0]! ^ 1]), 0, 1, at);
    closeSync(file);
  }
  return packs.map(({ name }) => name.split('~').at(-1)!);
}
