// Retrieval of what is stored compressed by who takes it uncompressed only: decoded in threads; what cannot be decoded is refused in words.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dataset, Fragments, writeDataset } from '@perennia/dicom-data';
import { Part10Reader, part10Prefix } from '@perennia/dicom-stream';
import { seededUid } from '@perennia/testing';
import { WebArchive } from './web-archive.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const RLE = '1.2.840.10008.1.2.5';
const JPEG_LS = '1.2.840.10008.1.2.4.80';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const study = seededUid('decoded-study');
const [ROWS, COLUMNS, FRAMES] = [5, 7, 3];
let archive: WebArchive;

const frames = Array.from({ length: FRAMES }, (_, frame) => Buffer.from(Array.from({ length: ROWS * COLUMNS }, (__, at) => (at * 7 + frame * 50) % 256)));
const uidOf = (kind: string): string => `${study}.1.${kind}`;

/** One segment of literal runs (PS3.5 §G.3, §G.5). */
function rleFrame(frame: Buffer): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(64, 4);
  const runs = Buffer.concat([Buffer.of(frame.length - 1), frame]);
  return Buffer.concat([header, runs, Buffer.alloc(runs.length % 2)]);
}
function dataset(kind: string): Dataset {
  return new Dataset().set('SOPClassUID', SECONDARY_CAPTURE).set('SOPInstanceUID', uidOf(kind)).set('PatientID', 'DECODED').set('StudyInstanceUID', study).set('SeriesInstanceUID', `${study}.1`)
    .set('SamplesPerPixel', 1).set('PhotometricInterpretation', 'MONOCHROME2').set('NumberOfFrames', FRAMES).set('Rows', ROWS).set('Columns', COLUMNS)
    .set('BitsAllocated', 8).set('BitsStored', 8).set('HighBit', 7).set('PixelRepresentation', 0);
}
function object(kind: string, transferSyntaxUid: string, fragments: Fragments): Buffer {
  const prefix = part10Prefix({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid: uidOf(kind), transferSyntaxUid });
  return Buffer.concat([prefix, writeDataset(dataset(kind).set('PixelData', fragments, 'OB'), transferSyntaxUid)]);
}
const get = (kind: string, wanted: string): Promise<Response> =>
  archive.get(`/studies/${study}/series/${study}.1/instances/${uidOf(kind)}`, { accept: `application/dicom; transfer-syntax=${wanted}` });

beforeAll(async () => {
  archive = await WebArchive.start();
  const stored = await archive.stow([object('1', RLE, new Fragments(frames.map(rleFrame))), object('2', JPEG_LS, new Fragments(frames.map(() => Buffer.from('no codestream at all')))) ]);
  expect([stored.status, await stored.text()]).toEqual([200, expect.any(String)]);
}, 60_000);
afterAll(() => archive?.stop());

describe('W05 WADO-RS of what is stored compressed', () => {
  it.each([EXPLICIT, IMPLICIT])('W05 gives it decoded in %s: the header, and the pixels of every frame', async (wanted) => {
    const response = await get('1', wanted);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, `application/dicom; transfer-syntax=${wanted}`]);
    const file = Buffer.from(await response.arrayBuffer());
    const reader = new Part10Reader();
    reader.push(file);
    const pixels = Buffer.concat([...frames, Buffer.alloc((ROWS * COLUMNS * FRAMES) % 2)]);
    expect(file.subarray(reader.header!.datasetOffset).equals(writeDataset(dataset('1').set('PixelData', pixels, 'OB'), wanted))).toBe(true);
  });
  it('W05 answers 406 where only encoding would help, and names what can be had', async () => {
    const response = await get('1', JPEG_LS);
    expect(response.status).toBe(406);
    expect(((await response.json()) as { detail: string }).detail).toContain(EXPLICIT);
  });
  it('B5 a codestream that is none costs this request only', async () => {
    const response = await get('2', EXPLICIT);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ type: expect.stringContaining('codestream') });
    expect((await get('1', EXPLICIT)).status).toBe(200);
    expect((await get('2', '*')).status).toBe(200);
  });
});
