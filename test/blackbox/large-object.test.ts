// A4: an encapsulated multi-frame object far larger than memory should be: by C-STORE, STOW-RS and import, with an Extended Offset
// Table and with none. Full size 6 GiB: npm run proof -- A4
import { appendFileSync, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomRequestor } from '@perennia/dicom-net';
import { part10Prefix } from '@perennia/dicom-stream';
import { LargeObject, Product } from '@perennia/testing';

const SIZE_BYTES = Number(process.env['VNA_TEST_LARGE_BYTES'] ?? 600 * 1024 * 1024);
const FRAME_BYTES = 512 * 1024;
const GROWTH_LIMIT_KIB = 96 * 1024;
const repository = resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(join(process.env['VNA_TEST_LARGE_DIRECTORY'] ?? tmpdir(), 'perennia-large-'));
let product: Product;
let serial = 0;

beforeAll(async () => {
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn' } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

function aLargeObject(offsetTable: 'extended' | 'empty'): LargeObject {
  serial += 1;
  const root = `1.2.826.0.1.3680043.10.5.${Date.now()}.${serial}`;
  return new LargeObject({
    studyInstanceUid: root, seriesInstanceUid: `${root}.1`, sopInstanceUid: `${root}.1.1`, offsetTable,
    frames: Math.ceil(SIZE_BYTES / FRAME_BYTES), frameBytes: FRAME_BYTES, transferSyntaxUid: offsetTable === 'extended' ? '1.2.840.10008.1.2.1.98' : '1.2.840.10008.1.2.5',
  });
}

async function* part10(object: LargeObject): AsyncGenerator<Buffer> {
  yield part10Prefix(object);
  yield* object.dataset();
}

async function byCStore(object: LargeObject): Promise<void> {
  const association = await DicomRequestor.connect({
    host: '127.0.0.1', port: product.dicomPort, callingAet: 'LARGE', calledAet: 'PERENNIA', responseTimeoutMs: 600_000,
    contexts: [{ abstractSyntax: object.sopClassUid, transferSyntaxes: [object.transferSyntaxUid] }],
  });
  const { status } = await association.store({ ...object, sopClassUid: object.sopClassUid, dataset: object.dataset() });
  expect(status).toBe(0);
  await association.release();
}

async function byStow(object: LargeObject): Promise<void> {
  const boundary = 'large-object-boundary';
  const outgoing = request(`${product.web}/studies`, { method: 'POST', headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`, accept: 'application/dicom+json' } });
  const answered = new Promise<number>((done, fail) => {
    outgoing.on('response', (response) => response.resume().on('end', () => done(response.statusCode!)));
    outgoing.on('error', fail);
  });
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
    yield* part10(object);
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  await pipeline(Readable.from(body()), outgoing);
  expect(await answered).toBe(200);
}

async function byImport(object: LargeObject): Promise<void> {
  const file = join(directory, `${object.sopInstanceUid}.dcm`);
  await pipeline(Readable.from(part10(object)), createWriteStream(file));
  await promisify(execFile)(join(repository, 'node_modules/.bin/node'), [join(repository, 'services/cli/dist/main.js'), 'import', file, '--json'], {
    env: { ...process.env, VNA_DATA: join(directory, 'data'), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort), VNA_HEALTH_PORT: String(product.healthPort) },
  });
  rmSync(file);
}

const statusKib = (pid: number, field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** The largest growth of any role process above what it had before, by the kernel's own high-water mark. */
async function peakGrowthKib(work: () => Promise<void>): Promise<number> {
  const before = product.roleProcesses().map(({ pid }) => {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return { pid, kib: statusKib(pid, 'VmRSS') };
  });
  await work();
  return Math.max(...before.map(({ pid, kib }) => statusKib(pid, 'VmHWM') - kib));
}

const readBytes = (): number => product.roleProcesses().reduce((sum, { pid }) => sum + Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]), 0);

async function lastFrame(object: LargeObject): Promise<{ milliseconds: number; bytes: Buffer }> {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, frames } = object.options;
  const url = `${product.web}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}/frames/${frames - 1}`;
  const startedMs = performance.now();
  const response = await fetch(url, { headers: { accept: 'application/octet-stream; transfer-syntax=*, multipart/related; type="application/octet-stream"; transfer-syntax=*' } });
  const body = Buffer.from(await response.arrayBuffer());
  expect(response.status).toBe(200);
  return { milliseconds: performance.now() - startedMs, bytes: body };
}

async function untilFindable(object: LargeObject): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(`${product.web}/studies?StudyInstanceUID=${object.options.studyInstanceUid}`);
    const text = await response.text();
    if (response.status === 200 && text.includes(object.options.studyInstanceUid)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('The object did not become findable.');
}

const roads = { 'C-STORE': byCStore, 'STOW-RS': byStow, import: byImport };

describe(`an encapsulated object of ${Math.round(SIZE_BYTES / 2 ** 20)} MiB`, () => {
  it.each(Object.keys(roads).flatMap((road) => [[road, 'extended'], [road, 'empty']] as const))('W01 given the road %s and an offset table that is %s, then memory stays bounded and a frame near its end is one small read', async (road, offsetTable) => {
    const object = aLargeObject(offsetTable as 'extended' | 'empty');
    const startedMs = performance.now();
    const growthKib = await peakGrowthKib(() => roads[road as keyof typeof roads](object));
    const seconds = (performance.now() - startedMs) / 1000;
    await untilFindable(object);
    const readBefore = readBytes();
    const { milliseconds, bytes } = await lastFrame(object);
    const readKib = Math.round((readBytes() - readBefore) / 1024);
    report(`${road}, offset table ${offsetTable}: ${(object.sizeBytes / 2 ** 30).toFixed(2)} GiB in ${seconds.toFixed(1)} s, peak growth ${Math.round(growthKib / 1024)} MiB, frame ${object.options.frames - 1} of ${object.options.frames} in ${milliseconds.toFixed(0)} ms with ${readKib} KiB read`);
    expect(bytes.includes(object.frame(object.options.frames - 1))).toBe(true);
    expect(growthKib).toBeLessThanOrEqual(GROWTH_LIMIT_KIB);
    expect(readKib).toBeLessThan(16 * 1024);
  }, 900_000);
});

function report(line: string): void {
  const file = process.env['VNA_TEST_PROOF_OUTPUT'];
  if (file) appendFileSync(file, `${line}\n`);
  else process.stderr.write(`${line}\n`);
}
