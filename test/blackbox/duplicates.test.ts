// A5: the same SOP Instance UID many times at once, and many associations for one new patient.
import { mkdtempSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomRequestor } from '@perennia/dicom-net';
import { Product, syntheticObject, type SyntheticObject } from '@perennia/testing';

const repository = resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'perennia-duplicates-'));
let product: Product;
const root = `1.2.826.0.1.3680043.10.6.${Date.now()}`;

beforeAll(async () => {
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn', VNA_LIFECYCLE_SETTLE: '1s' } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function store(object: SyntheticObject, callingAet = 'DUPLICATES'): Promise<number> {
  const association = await DicomRequestor.connect({
    host: '127.0.0.1', port: product.dicomPort, callingAet, calledAet: 'PERENNIA',
    contexts: [{ abstractSyntax: object.sopClassUid, transferSyntaxes: [object.transferSyntaxUid] }],
  });
  const { status } = await association.store(object);
  await association.release();
  return status;
}

type Json = Record<string, { Value?: unknown[] }>;
async function search(path: string): Promise<Json[]> {
  const response = await fetch(`${product.web}${path}`, { headers: { accept: 'application/dicom+json' } });
  return response.status === 200 ? ((await response.json()) as Json[]) : (await response.arrayBuffer(), []);
}
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('The condition did not come true.');
}
const value = (dataset: Json | undefined, tag: string): unknown => dataset?.[tag]?.Value?.[0];

async function vna(...parameters: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(join(repository, 'node_modules/.bin/node'), [join(repository, 'services/cli/dist/main.js'), ...parameters, '--json'], {
    env: { ...process.env, VNA_DATA: join(directory, 'data'), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort), VNA_HEALTH_PORT: String(product.healthPort) },
  });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('the same SOP Instance UID', () => {
  it('given 16 associations with the same bytes at once, then there is one instance and all got success', async () => {
    const object = syntheticObject({ root, study: 1, series: 1, instance: 1, pixelBytes: 30_000 });
    const statuses = await Promise.all(Array.from({ length: 16 }, () => store(object)));
    expect(statuses).toEqual(Array.from({ length: 16 }, () => 0));
    await until(async () => (await search(`/studies/${object.studyInstanceUid}/instances`)).length > 0);
    await new Promise((done) => setTimeout(done, 500));
    expect(await search(`/studies/${object.studyInstanceUid}/instances`)).toHaveLength(1);
    const [study] = await search(`/studies?StudyInstanceUID=${object.studyInstanceUid}`);
    expect(value(study, '00201208')).toBe(1);
  });

  it('given 16 associations with different bytes at once, then the first is kept and served and 15 are quarantined and listed', async () => {
    const flavours = Array.from({ length: 16 }, (_, flavour) => syntheticObject({ root, study: 2, series: 1, instance: 1, pixelBytes: 30_000, flavour: flavour + 1 }));
    await Promise.all(flavours.map((object) => store(object)));
    const [{ studyInstanceUid, seriesInstanceUid, sopInstanceUid }] = flavours as [SyntheticObject];
    await until(async () => ((await vna('status', '--quarantine'))['quarantine'] as unknown[]).filter((entry) => (entry as { sopInstanceUid: string }).sopInstanceUid === sopInstanceUid).length === 15);
    expect(await search(`/studies/${studyInstanceUid}/instances`)).toHaveLength(1);
    const served = async (): Promise<string> => {
      const response = await fetch(`${product.web}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`, { headers: { accept: 'application/dicom; transfer-syntax=*' } });
      const file = Buffer.from(await response.arrayBuffer());
      return createHash('sha256').update(file.subarray(144 + file.readUInt32LE(140))).digest('hex');
    };
    const kept = await served();
    expect(flavours.map(({ sha256 }) => sha256)).toContain(kept);
    // After filing it is still the same one.
    await new Promise((done) => setTimeout(done, 2500));
    expect(await served()).toBe(kept);
  });

  it('given 100 associations of four AEs for one new patient at once, then there is one patient, one study, and the counts are right', async () => {
    const objects = Array.from({ length: 100 }, (_, n) => syntheticObject({ root, study: 3, series: 1 + (n % 4), instance: n + 1, pixelBytes: 4000 }));
    // Each AE may open 32 at once.
    const statuses = await Promise.all(objects.map((object, n) => store(object, `AE${n % 4}`)));
    expect(statuses.filter((status) => status !== 0)).toEqual([]);
    const { studyInstanceUid } = objects[0]!;
    await until(async () => (await search(`/studies/${studyInstanceUid}/instances?limit=200`)).length === 100);
    const studies = await search('/studies?PatientID=P3');
    expect(studies).toHaveLength(1);
    expect(value(studies[0], '00201208')).toBe(100);
    expect(value(studies[0], '00201206')).toBe(4);
    const series = await search(`/studies/${studyInstanceUid}/series`);
    expect(series.map((entry) => value(entry, '00201209'))).toEqual([25, 25, 25, 25]);
  });
});
