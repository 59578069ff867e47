// Studies, series and instances as ZIP, opened by programs of others.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { part10, seededUid } from '@perennia/testing';
import { WebArchive } from './web-archive.js';

const study = seededUid('zip-study');
const series = [seededUid('zip-series-1'), seededUid('zip-series-2')];
const objects = Array.from({ length: 30 }, (_, index) =>
  part10({
    studyInstanceUid: study, seriesInstanceUid: series[index % 2]!, sopInstanceUid: seededUid(`zip-instance-${index}`), patientName: 'SECRET^NAME', patientId: 'SECRET-ID', seriesNumber: (index % 2) + 7,
    instanceNumber: 100 - index, pixelBytes: index === 5 ? 3_000_000 : 2000, pixelSeed: index,
  }));
const directory = mkdtempSync(join(tmpdir(), 'perennia-zip-'));
const has = (command: string, ...parameters: string[]): boolean => spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
let archive: WebArchive;

beforeAll(async () => {
  archive = await WebArchive.start();
  await archive.stow(objects.map(({ bytes }) => bytes));
}, 60_000);
afterAll(async () => {
  await archive?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function saved(path: string, accept = 'application/zip'): Promise<{ file: string; response: Response }> {
  const response = await archive.get(path, { accept });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/zip']);
  const file = join(directory, `${Math.random()}.zip`);
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  return { file, response };
}
const contents = (file: string): Record<string, string> => JSON.parse(execFileSync('python3', [join(import.meta.dirname, 'read_zip.py'), file], { encoding: 'utf8' })) as Record<string, string>;

/** The instances of a series, as they are numbered: by Instance Number. */
const expectedNames = (of: string, number: number): [string, string][] =>
  objects.filter(({ values }) => values.seriesInstanceUid === of).toSorted((a, b) => a.values.instanceNumber - b.values.instanceNumber)
    .map(({ values, bytes }, index) => [`${study}/series-00${number}/${String(index + 1).padStart(5, '0')}-${values.sopInstanceUid}.dcm`, sha256(bytes)]);

(has('python3', '--version') ? describe : describe.skip)('ZIP, as Python reads it', () => {
  it('W12 has all instances of a study, byte for byte, in folders by series', async () => {
    const { file, response } = await saved(`/studies/${study}`);
    expect(contents(file)).toEqual(Object.fromEntries([...expectedNames(series[0]!, 1), ...expectedNames(series[1]!, 2)]));
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${study}.zip"`);
  });
  it('W12 has those of a series, and a single one', async () => {
    expect(contents((await saved(`/studies/${study}/series/${series[1]}`)).file)).toEqual(Object.fromEntries(expectedNames(series[1]!, 1)));
    const { values, bytes } = objects[5]!;
    expect(Object.values(contents((await saved(`/studies/${study}/series/${values.seriesInstanceUid}/instances/${values.sopInstanceUid}`)).file))).toEqual([sha256(bytes)]);
  });
  it('W12 gives another transfer syntax to who asks for it', async () => {
    const { file } = await saved(`/studies/${study}`, 'application/zip; transfer-syntax=1.2.840.10008.1.2');
    const digests = Object.values(contents(file));
    expect(digests).toHaveLength(30);
    expect(digests.some((digest) => objects.some(({ bytes }) => sha256(bytes) === digest))).toBe(false);
  });
});
(has('unzip', '-v') ? describe : describe.skip)('ZIP, as unzip reads it', () => {
  it('W12 is without errors', async () => {
    const { file } = await saved(`/studies/${study}`);
    expect(execFileSync('unzip', ['-t', file], { encoding: 'utf8' })).toMatch(/No errors detected/);
  });
});

describe('ZIP over HTTP', () => {
  it('W12 is named in words to who takes nothing that can be given, and 304 to who has it', async () => {
    const refused = await archive.get(`/studies/${study}`, { accept: 'application/x-tar' });
    expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([406, expect.stringContaining('application/zip')]);
    const { response } = await saved(`/studies/${study}`);
    expect((await archive.get(`/studies/${study}`, { accept: 'application/zip', 'if-none-match': response.headers.get('etag')! })).status).toBe(304);
  });
  it('W12 never tells who the patient is outside of the instances', async () => {
    const { file, response } = await saved(`/studies/${study}`);
    expect(JSON.stringify([...response.headers, Object.keys(contents(file))])).not.toMatch(/SECRET/);
  });
});
