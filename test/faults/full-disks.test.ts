// R18 for the other disks: those of the database, of Kafka and of the S3 server fill up to the last block. Reception goes on as long as it needs none
// of them and refuses (A700, 503, 507) where it does; nothing is lost, and once there is room all goes on by itself. And the bounds before that:
// a warning from 80 % on, refusals from 95 % on, with room left for the database.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { hasBackend, hasOwn, KafkaBroker, Ledger, part10Of, Product, PromiseChecker, proofLine, S3Server, SmallDisk, storeMany, syntheticObject, type StoreManyResult, type SyntheticObject } from '@perennia/testing';

/** Full size: three fillings of each (npm run proof -- E3). */
const FILLINGS = Number(process.env['VNA_TEST_FULL_DISKS'] ?? 1);
const AGAIN_WITHIN_MS = 30_000;
const PIXEL_BYTES = 60_000;
const settings = { VNA_LOG_LEVEL: 'warn', VNA_LIFECYCLE_SETTLE: '2s' };
const suite = hasBackend('powercut') && hasOwn('kafka', 's3') ? describe : describe.skip;
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

suite('disks that fill up', () => {
  const cleaning: (() => Promise<unknown> | void)[] = [];
  let directory: string;
  let ledger: Ledger;
  let product: Product;
  let studies = 0;

  function begin(): void {
    directory = mkdtempSync(join(tmpdir(), 'perennia-full-disks-'));
    ledger = new Ledger(join(directory, 'ledger.jsonl'));
    cleaning.push(() => rmSync(directory, { recursive: true, force: true }), () => ledger.close());
  }
  async function startProduct(environment: Record<string, string> = {}): Promise<void> {
    product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { ...settings, ...environment } });
    cleaning.push(() => product.stop());
  }
  function smallDisk(path: string, sizeMib: number): SmallDisk {
    const disk = SmallDisk.mount(path, sizeMib);
    cleaning.push(() => disk.unmount());
    return disk;
  }
  afterEach(async () => {
    for (const clean of cleaning.splice(0).toReversed()) await clean();
  }, 120_000);

  function* objects(count: number): Generator<SyntheticObject> {
    const root = `1.2.826.0.1.3680043.10.18.${Date.now()}`;
    studies += 1;
    for (let n = 0; n < count; n++) yield syntheticObject({ root, study: studies, series: 1, instance: n + 1, pixelBytes: PIXEL_BYTES });
  }
  const store = (count = 20): Promise<StoreManyResult> => storeMany({ dicomPort: product.dicomPort, ledger, objects: objects(count), associations: 1 });
  /** All of them are to be acknowledged: reception needs none of what is full. */
  async function storeMeanwhile(betweenRounds: () => void): Promise<number> {
    for (let round = 0; round < 10; round++) {
      expect(await store(100)).toMatchObject({ acknowledged: 100 });
      betweenRounds();
      await pause(400);
    }
    return 1000;
  }
  async function assertStoredAgain(): Promise<number> {
    const startedMs = Date.now();
    let last = await store(1);
    while (last.acknowledged === 0 && Date.now() - startedMs < AGAIN_WITHIN_MS) {
      await pause(500);
      last = await store(1);
    }
    expect(last.acknowledged).toBe(1);
    return Date.now() - startedMs;
  }
  /** All that was acknowledged is found and whole, soon. */
  async function assertPromise(withinMs = AGAIN_WITHIN_MS): Promise<number> {
    const startedMs = Date.now();
    const { violations } = await new PromiseChecker(product.web).check(ledger.snapshot(), withinMs);
    expect(violations).toEqual([]);
    return Date.now() - startedMs;
  }
  it('R18: given the disk of the landing area at 85 % and then at 96 %, then it is told, and then objects are refused while there still is room', async () => {
    begin();
    mkdirSync(join(directory, 'data'));
    const disk = smallDisk(join(directory, 'data', 'landing'), 400);
    await startProduct({ VNA_LANDING_SEGMENT_SIZE: '16MiB', VNA_LANDING_SEGMENTS: '2', VNA_LANDING_MAX_SEGMENTS: '4', VNA_LANDING_RESERVE: '0B' });
    for (let filling = 0; filling < FILLINGS; filling++) {
      expect(await store()).toMatchObject({ acknowledged: 20 });
      disk.fill(85);
      await pause(1500);
      expect(await store()).toMatchObject({ acknowledged: 20 });
      expect(product.output).toContain('The disk fills up');
      disk.fill(96);
      await pause(1500);
      const { acknowledged, refused } = await store();
      expect({ acknowledged, refused }).toEqual({ acknowledged: 0, refused: { a700: 20 } });
      expect(await stowStatus()).toBe(507);
      expect(disk.usedPercent).toBeLessThan(98);
      disk.free();
      const againMs = await assertStoredAgain();
      await assertPromise();
      proofLine(`R18: landing disk told at 85 %, ${JSON.stringify(refused)} and 507 at 96 %, stored again ${againMs} ms after it had room`);
    }
  }, 120_000 + FILLINGS * 60_000);

  it('R18: given the disk of the database without a free block, then storing goes on, and all is found once there is room', async () => {
    begin();
    mkdirSync(join(directory, 'data'));
    const disk = smallDisk(join(directory, 'data', 'postgres'), 400);
    await startProduct();
    for (let filling = 0; filling < FILLINGS; filling++) {
      expect(await store()).toMatchObject({ acknowledged: 20 });
      disk.fill();
      const stored = await storeMeanwhile(() => disk.fill());
      expect(product.output).toContain('The disk of the database is full');
      disk.free();
      const foundMs = await assertPromise();
      await product.untilReady();
      proofLine(`R18: full disk of the database: ${stored} of ${stored} stored meanwhile, all found ${foundMs} ms after it had room`);
    }
  }, 120_000 + FILLINGS * 120_000);

  it('R18: given the disk of Kafka without a free block, then storing goes on, and all is found once there is room', async () => {
    begin();
    const disk = smallDisk(join(directory, 'kafka'), 200);
    const broker = await KafkaBroker.start('plain', disk.path);
    cleaning.push(() => broker.remove());
    await startProduct({ VNA_KAFKA_BROKERS: broker.brokers.join(','), VNA_KAFKA_PARTITIONS: '4', VNA_KAFKA_REPLICATION: '1' });
    for (let filling = 0; filling < FILLINGS; filling++) {
      expect(await store()).toMatchObject({ acknowledged: 20 });
      disk.fill();
      const stored = await storeMeanwhile(() => undefined);
      expect(await product.isReady()).toBe(false);
      disk.free();
      // A broker whose folder cannot be written ends; whoever runs it starts it again.
      await broker.kill();
      await broker.restart();
      const foundMs = await assertPromise(60_000);
      await product.untilReady();
      proofLine(`R18: full disk of Kafka: ${stored} of ${stored} stored meanwhile, all found ${foundMs} ms after the broker was back`);
    }
  }, 180_000 + FILLINGS * 180_000);

  it('R18: given the disk of the S3 server that objects land on without a free block, then they are refused, and taken again once there is room', async () => {
    begin();
    const disk = smallDisk(join(directory, 's3'), 300);
    const server = await S3Server.start({ under: disk.path });
    cleaning.push(() => server.remove());
    const { endpoint, accessKeyId, secretAccessKey } = server.access;
    writeFileSync(join(directory, 'secret'), secretAccessKey);
    const tier = { name: 'objects', kind: 's3', endpoint, bucket: await server.createBucket(), accessKeyId, secretAccessKeyFile: join(directory, 'secret') };
    await startProduct({ VNA_STORAGE_TIERS: JSON.stringify([tier]), VNA_STORAGE_HOT: 'objects', VNA_STORAGE_LANDING: 'objects' });
    for (let filling = 0; filling < FILLINGS; filling++) {
      expect(await store()).toMatchObject({ acknowledged: 20 });
      disk.fill();
      const { acknowledged, refused, latenciesMs } = await store(20);
      const stow = await stowStatus();
      proofLine(`R18: full disk of the S3 server: C-STORE ${acknowledged} acknowledged, ${JSON.stringify(refused)} refused within ${Math.round(Math.max(...latenciesMs))} ms, STOW-RS ${stow}`);
      expect(Object.keys(refused)).toEqual(['a700']);
      expect([503, 507]).toContain(stow);
      disk.free();
      const againMs = await assertStoredAgain();
      await assertPromise(120_000);
      proofLine(`R18: stored again ${againMs} ms after it had room`);
    }
  }, 180_000 + FILLINGS * 240_000);

  async function stowStatus(): Promise<number> {
    const [object] = [...objects(1)];
    const response = await fetch(`${product.web}/studies`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/related; type="application/dicom"; boundary=full', accept: 'application/dicom+json' },
      body: Buffer.concat([Buffer.from('--full\r\nContent-Type: application/dicom\r\n\r\n'), part10Of(object!), Buffer.from('\r\n--full--\r\n')]),
    });
    await response.arrayBuffer();
    return response.status;
  }
});
