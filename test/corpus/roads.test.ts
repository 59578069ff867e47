// A3: every file of the corpus by every road into an empty archive: C-STORE in its own transfer syntax, STOW-RS, import.
// Valid ones are found with the values two other toolkits read and come back with the same dataset bytes; invalid ones get the
// right refusal by each road that can carry them; the product survives all of it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { DicomParseError, tagKey, tagOfKeyword } from '@perennia/dicom-data';
import { DicomRequestor } from '@perennia/dicom-net';
import { Part10Reader } from '@perennia/dicom-stream';
import { hasBackend, Product } from '@perennia/testing';
import { asDimseObject, corpusFiles, expectedText, type CorpusFile, type DimseObject } from './corpus.js';
import { sameText, valueText } from './expected-text.js';

const repository = resolve(import.meta.dirname, '../..');
type Json = Record<string, { Value?: unknown[] } | undefined>;
type Refusals = Map<string, string>;

let product: Product;
let directory: string;
async function begin(): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), 'perennia-roads-'));
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'error', VNA_LIFECYCLE_SETTLE: '2s' } });
}
afterEach(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

/** @returns the status in hex, or `not offered` */
async function byCStore(object: { sopClassUid: string; sopInstanceUid: string; transferSyntaxUid: string; dataset: Buffer }): Promise<string> {
  const association = await DicomRequestor.connect({
    host: '127.0.0.1', port: product.dicomPort, callingAet: 'ROADS', calledAet: 'PERENNIA',
    contexts: [{ abstractSyntax: object.sopClassUid, transferSyntaxes: [object.transferSyntaxUid] }],
  });
  const { status } = await association.store(object);
  await association.release();
  return status.toString(16).toUpperCase().padStart(4, '0');
}

/** @returns `stored`, or the failure reason in hex; the HTTP status where there is no answer dataset */
async function byStow(part10: Buffer): Promise<string> {
  const boundary = 'corpus-boundary-3b1f';
  const response = await fetch(`${product.web}/studies`, {
    method: 'POST',
    headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`, accept: 'application/dicom+json' },
    body: Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`), part10, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  });
  const text = await response.text();
  if (!response.headers.get('content-type')?.includes('dicom+json')) return `HTTP ${response.status}`;
  const answer = JSON.parse(text) as Json;
  const failed = answer['00081198']?.Value?.[0] as Json | undefined;
  if (failed) return Number(failed['00081197']?.Value?.[0]).toString(16).toUpperCase().padStart(4, '0');
  return answer['00081199']?.Value?.length === 1 ? 'stored' : `HTTP ${response.status}`;
}

async function search(path: string): Promise<Json[]> {
  const response = await fetch(`${product.web}${path}`, { headers: { accept: 'application/dicom+json' } });
  return response.status === 200 ? ((await response.json()) as Json[]) : (await response.arrayBuffer(), []);
}

async function retrievedDataset(object: DimseObject): Promise<Buffer> {
  const url = `${product.web}/studies/${object.studyInstanceUid}/series/${object.seriesInstanceUid}/instances/${object.sopInstanceUid}`;
  const response = await fetch(url, { headers: { accept: 'application/dicom; transfer-syntax=*' } });
  const file = Buffer.from(await response.arrayBuffer());
  return response.status === 200 ? file.subarray(144 + file.readUInt32LE(140)) : file.subarray(0, 0);
}

async function failureOf(object: DimseObject, file: CorpusFile): Promise<string | undefined> {
  const found = await untilListed(object);
  if (!found) return 'not found by QIDO-RS';
  const { patient, study, series, instance } = object.expected;
  const wrong = Object.entries({ ...patient, ...study, ...series, ...instance })
    .filter(([keyword]) => keyword !== 'TimezoneOffsetFromUTC')
    .map(([keyword, value]) => [keyword, valueText(found, tagKey(tagOfKeyword(keyword)!)), expectedText(file, keyword, value)] as const)
    .filter(([keyword, got, wanted]) => !sameText(keyword, got, wanted));
  if (wrong.length > 0) return `QIDO-RS says ${JSON.stringify(wrong)}`;
  const dataset = await retrievedDataset(object);
  const same = createHash('sha256').update(dataset).digest('hex') === createHash('sha256').update(object.dataset).digest('hex');
  return same ? undefined : `other dataset bytes (${dataset.length} instead of ${object.dataset.length})`;
}

const PARALLEL = 6;
async function eachInParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  }));
}

/** All levels together: what a client would gather of study, series and instance. */
async function untilListed(object: DimseObject): Promise<Json | undefined> {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = object;
  for (let attempt = 0; attempt < 100; attempt++) {
    const [instance] = await search(`/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances?SOPInstanceUID=${sopInstanceUid}&includefield=all`);
    if (instance) {
      const [series] = await search(`/studies/${studyInstanceUid}/series?SeriesInstanceUID=${seriesInstanceUid}&includefield=all`);
      const [study] = await search(`/studies?StudyInstanceUID=${studyInstanceUid}&includefield=all`);
      return { ...study, ...series, ...instance };
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return undefined;
}

async function checkAll(title: string, objects: readonly { file: CorpusFile; object: DimseObject }[], refused: Refusals): Promise<void> {
  const failures = [...refused].map(([name, status]) => `${name}: refused with ${status}`);
  await eachInParallel(objects, async ({ file, object }) => {
    if (refused.has(file.name)) return;
    const failure = await failureOf(object, file).catch((error: unknown) => String(error));
    if (failure) failures.push(`${file.name}: ${failure}`);
  });
  process.stderr.write(`${title}: ${objects.length - failures.length} of ${objects.length}\n`);
  expect(failures).toEqual([]);
}

const suite = hasBackend('corpus') ? describe : describe.skip;
const validObjects = (): { file: CorpusFile; object: DimseObject }[] => corpusFiles({ class: 'valid' }).map((file) => ({ file, object: asDimseObject(file) }));

suite('every valid file', () => {
  test('by C-STORE in its own transfer syntax', async () => {
    await begin();
    const objects = validObjects();
    const refused: Refusals = new Map();
    await eachInParallel(objects, async ({ file, object }) => {
      const status = await byCStore(object);
      if (status !== '0000') refused.set(file.name, status);
    });
    await checkAll('C-STORE', objects, refused);
  }, 240_000);

  test('by STOW-RS', async () => {
    await begin();
    const objects = validObjects();
    const refused: Refusals = new Map();
    await eachInParallel(objects, async ({ file, object }) => {
      const outcome = await byStow(object.part10);
      if (outcome !== 'stored') refused.set(file.name, outcome);
    });
    await checkAll('STOW-RS', objects, refused);
  }, 240_000);

  test('by import of a folder', async () => {
    await begin();
    const folder = join(directory, 'folder');
    mkdirSync(folder);
    const objects = validObjects();
    objects.forEach(({ object }, n) => writeFileSync(join(folder, `${n}.dcm`), object.part10));
    await vna('import', folder);
    await checkAll('import', objects, new Map());
  }, 240_000);
});

/** Roads that can carry an invalid file: all take any bytes as a file; C-STORE needs SOP UIDs for its command and a dataset. */
suite('every invalid file', () => {
  test('is refused for its own reason by C-STORE, STOW-RS and import, and leaves nothing behind', async () => {
    await begin();
    const files = corpusFiles({ class: 'invalid' });
    const wrong: string[] = [];
    let sent = 0;
    for (const file of files) {
      const stow = await byStow(file.read());
      if (!['A900', 'C000'].includes(stow)) wrong.push(`${file.name} by STOW-RS: ${stow}`);
      const carried = asCommand(file);
      if (!carried) continue;
      sent += 1;
      const status = await byCStore(carried);
      if (!['A900', 'C000'].includes(status)) wrong.push(`${file.name} by C-STORE: ${status}`);
    }
    const folder = join(directory, 'folder');
    mkdirSync(folder);
    files.forEach((file, n) => writeFileSync(join(folder, `${n}.dcm`), file.read()));
    const imported = await vna('import', folder).catch((error: { stdout: string }) => JSON.parse(error.stdout) as Json);
    process.stderr.write(`invalid files: ${files.length - wrong.length} of ${files.length} refused by STOW-RS, ${sent} of them carried by C-STORE; import refused ${JSON.stringify((imported as unknown as { refused: unknown }).refused)}\n`);
    expect(wrong).toEqual([]);
    expect((imported as unknown as { stored: number }).stored).toBe(0);
    expect(await search('/instances?limit=10')).toEqual([]);
    expect(await product.isReady()).toBe(true);
  }, 120_000);
});

const quirks: [string, string][] = [
  ['pydicom/ExplVR_BigEndNoMeta.dcm', 'stored'],
  ['pydicom/ExplVR_LitEndNoMeta.dcm', 'stored'],
  ['pydicom/MR_truncated.dcm', 'C000'],
  ['pydicom/rtplan_truncated.dcm', 'C000'],
  ['pydicom/rtstruct.dcm', 'stored'],
];
suite('the quirks', () => {
  test('by STOW-RS each as the table says', async () => {
    await begin();
    const outcomes: [string, string][] = [];
    for (const { name, path } of corpusFiles({ class: 'quirk' })) outcomes.push([name, await byStow(readFileSync(path))]);
    expect(outcomes.toSorted()).toEqual(quirks.toSorted());
  }, 60_000);
});

/** An invalid file as a C-STORE sender would send it, with UIDs it must make up for the command where there are none. */
function asCommand(file: CorpusFile): { sopClassUid: string; sopInstanceUid: string; transferSyntaxUid: string; dataset: Buffer } | undefined {
  const reader = new Part10Reader();
  const first = beginningOf(reader, file.read());
  if (!reader.header || first.length === 0) return undefined;
  const dataset = Buffer.from(first);
  return {
    sopClassUid: reader.header.mediaStorageSopClassUid || '1.2.840.10008.5.1.4.1.1.7',
    sopInstanceUid: reader.header.mediaStorageSopInstanceUid || '1.2.826.0.1.3680043.10.12.1',
    transferSyntaxUid: reader.header.transferSyntaxUid,
    dataset: dataset.length % 2 === 1 ? Buffer.concat([dataset, Buffer.alloc(1)]) : dataset,
  };
}
/** What is no DICOM file at all cannot be sent by C-STORE. */
function beginningOf(reader: Part10Reader, bytes: Buffer): Uint8Array {
  try {
    return reader.push(bytes);
  } catch (error) {
    if (error instanceof DicomParseError) return new Uint8Array(0);
    throw error;
  }
}

async function vna(...parameters: string[]): Promise<Json> {
  const { stdout } = await promisify(execFile)(join(repository, 'node_modules/.bin/node'), [join(repository, 'services/cli/dist/main.js'), ...parameters, '--json'], {
    env: { ...process.env, VNA_DATA: join(directory, 'data'), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort), VNA_HEALTH_PORT: String(product.healthPort) },
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as Json;
}
