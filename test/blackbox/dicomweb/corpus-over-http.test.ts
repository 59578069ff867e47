// Every valid file of the corpus by STOW-RS, back byte for byte, with its metadata, its first frame and its bulk data.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { corpusDirectory, hasBackend } from '@perennia/testing';
import { disarmPreamble } from '@perennia/dicom-stream';
import { WebArchive } from './web-archive.js';

interface Expected {
  class: string;
  ts: string;
  study?: { StudyInstanceUID: string };
  series?: { SeriesInstanceUID: string };
  instance?: { SOPInstanceUID: string };
  frames?: number;
  pixel_bytes?: number;
}
const present = hasBackend('corpus');
const expected = present ? (JSON.parse(readFileSync(join(corpusDirectory, 'expected.json'), 'utf8')) as Record<string, Expected>) : {};
const seen = new Set<string>();
/** Files that share an instance UID are a matter of the tests of duplicates. */
const files = Object.entries(expected).filter(([, { class: kind, instance }]) => {
  if (kind !== 'valid' || !instance?.SOPInstanceUID || seen.has(instance.SOPInstanceUID)) return false;
  seen.add(instance.SOPInstanceUID);
  return true;
});
let archive: WebArchive;

beforeAll(async () => {
  if (present) archive = await WebArchive.start();
}, 60_000);
afterAll(() => archive?.stop());

(present ? describe : describe.skip)('the corpus over HTTP', () => {
  it.each(files)('%s', async (name, { study, series, instance, frames, pixel_bytes: pixelBytes, ts }) => {
    const bytes = readFileSync(join(corpusDirectory, name));
    const stored = await archive.stow([bytes]);
    expect([stored.status, await stored.text()]).toEqual([200, expect.any(String)]);
    const path = `/studies/${study!.StudyInstanceUID}/series/${series!.SeriesInstanceUID}/instances/${instance!.SOPInstanceUID}`;
    const back = await archive.get(path, { accept: 'application/dicom' });
    expect(back.status).toBe(200);
    // Ten of these files have notes or rubbish in their preamble: kept as received, served as zeros.
    disarmPreamble(bytes);
    expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);
    const [metadata] = await archive.json(`${path}/metadata`);
    expect(metadata!['00080018']!.Value).toEqual([instance!.SOPInstanceUID]);
    if (!frames || !pixelBytes || !metadata!['7FE00010']?.BulkDataURI) return;
    const frame = await archive.get(`${path}/frames/${frames}`, { accept: 'application/octet-stream; transfer-syntax=*' });
    expect([ts, frames, frame.status, frame.status === 200 ? '' : await frame.text()]).toEqual([ts, frames, 200, '']);
    expect((await frame.arrayBuffer()).byteLength).toBeGreaterThan(0);
    const bulk = await fetch(metadata!['7FE00010'].BulkDataURI, { headers: { accept: '*/*' } });
    expect(bulk.status).toBe(200);
    expect((await bulk.arrayBuffer()).byteLength).toBeGreaterThan(0);
  });
});
