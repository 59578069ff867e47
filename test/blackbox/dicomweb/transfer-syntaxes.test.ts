// Retrieval in other uncompressed transfer syntaxes than the stored ones: the same dataset as whoever writes it in that syntax.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { Part10Reader, part10Prefix } from '@perennia/dicom-stream';
import { seededUid } from '@perennia/testing';
import { answerParts } from './answer-parts.js';
import { WebArchive } from './web-archive.js';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const JPEG_2000 = '1.2.840.10008.1.2.4.90';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const study = seededUid('syntaxes-study');
const large = seededUid('syntaxes-large');
let archive: WebArchive;

/** Pixels of 16 bits, `rows` of 512 columns. */
function aDataset(sopInstanceUid: string, studyInstanceUid: string, rows: number, bigEndian: boolean): Dataset {
  const pixels = Buffer.alloc(rows * 1024);
  for (let at = 0; at < pixels.length; at += 2) pixels.writeUInt16LE(at & 0xffff, at);
  if (bigEndian) pixels.swap16();
  return new Dataset().set('SpecificCharacterSet', 'ISO_IR 192').set('SOPClassUID', SECONDARY_CAPTURE).set('SOPInstanceUID', sopInstanceUid).set('PatientName', 'Müller^Änne').set('PatientID', 'SYNTAX-1')
    .set('StudyInstanceUID', studyInstanceUid).set('SeriesInstanceUID', `${studyInstanceUid}.1`).set('ProcedureCodeSequence', [new Dataset().set('CodeValue', 'X1')])
    .set('Rows', rows).set('Columns', 512).set('BitsAllocated', 16).set('PixelRepresentation', 0).set('PixelData', pixels, 'OW');
}
const uidOf = (transferSyntaxUid: string, studyInstanceUid = study): string => `${studyInstanceUid}.${transferSyntaxUid.replaceAll('.', '')}`.slice(0, 64);
const pathOf = (transferSyntaxUid: string, studyInstanceUid = study): string => `/studies/${studyInstanceUid}/series/${studyInstanceUid}.1/instances/${uidOf(transferSyntaxUid, studyInstanceUid)}`;
const datasetIn = (stored: string, written = stored, studyInstanceUid = study, rows = 4): Buffer =>
  writeDataset(aDataset(uidOf(stored, studyInstanceUid), studyInstanceUid, rows, written === BIG_ENDIAN), written);
const objectIn = (stored: string, studyInstanceUid = study, rows = 4): Buffer =>
  Buffer.concat([part10Prefix({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid: uidOf(stored, studyInstanceUid), transferSyntaxUid: stored }), datasetIn(stored, stored, studyInstanceUid, rows)]);

function opened(object: Buffer): { transferSyntaxUid: string; sopInstanceUid: string; dataset: Buffer } {
  const reader = new Part10Reader();
  reader.push(object);
  const { transferSyntaxUid, mediaStorageSopInstanceUid: sopInstanceUid, datasetOffset } = reader.header!;
  return { transferSyntaxUid, sopInstanceUid, dataset: object.subarray(datasetOffset) };
}

beforeAll(async () => {
  archive = await WebArchive.start();
  const stored = await archive.stow([...[IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN].map((each) => objectIn(each)), objectIn(IMPLICIT, large, 4096)]);
  expect([stored.status, await stored.text()]).toEqual([200, expect.any(String)]);
}, 60_000);
afterAll(() => archive?.stop());

describe('W05 WADO-RS in another uncompressed transfer syntax', () => {
  it.each([IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN].flatMap((stored) => [EXPLICIT, IMPLICIT].filter((wanted) => wanted !== stored).map((wanted) => [stored, wanted] as const)))(
    'W05 gives what is stored in %s in %s, with a File Meta Information of its own',
    async (stored, wanted) => {
      const response = await archive.get(pathOf(stored), { accept: `application/dicom; transfer-syntax=${wanted}` });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, `application/dicom; transfer-syntax=${wanted}`]);
      const { transferSyntaxUid, sopInstanceUid, dataset } = opened(Buffer.from(await response.arrayBuffer()));
      expect([transferSyntaxUid, sopInstanceUid]).toEqual([wanted, uidOf(stored)]);
      expect(dataset.equals(datasetIn(stored, wanted))).toBe(true);
    },
  );
  it('W05 gives a study whose instances are stored differently in the one syntax that is asked for, and what is in it already as it is', async () => {
    const response = await archive.get(`/studies/${study}`, { accept: `multipart/related; type="application/dicom"; transfer-syntax=${EXPLICIT}` });
    const parts = await answerParts(response);
    expect(parts.map(({ headers }) => headers['content-type'])).toEqual(Array.from({ length: 4 }, () => `application/dicom; transfer-syntax=${EXPLICIT}`));
    for (const stored of [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN]) {
      const { body } = parts.find(({ headers }) => headers['content-location']!.endsWith(pathOf(stored)))!;
      if (stored === EXPLICIT) expect(body.equals(objectIn(EXPLICIT))).toBe(true);
      expect(opened(body).dataset.equals(datasetIn(stored, EXPLICIT))).toBe(true);
    }
  });
  it.each(['application/dicom', 'application/dicom; transfer-syntax=*'])('W05 gives each as it is stored, byte for byte, to %s', async (accept) => {
    for (const stored of [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN]) {
      const response = await archive.get(pathOf(stored), { accept });
      expect(response.headers.get('content-length')).toBe(String(objectIn(stored).length));
      expect(Buffer.from(await response.arrayBuffer()).equals(objectIn(stored))).toBe(true);
    }
  });
  it('W05 streams a large instance', async () => {
    const response = await archive.get(pathOf(IMPLICIT, large), { accept: `application/dicom; transfer-syntax=${EXPLICIT}` });
    expect(opened(Buffer.from(await response.arrayBuffer())).dataset.equals(datasetIn(IMPLICIT, EXPLICIT, large, 4096))).toBe(true);
  });
  it('W05 gives each of many small instances its own bytes', async () => {
    const many = Array.from({ length: 60 }, (_, index) => `${seededUid('syntaxes-many')}.${index}`);
    const written = (sopInstanceUid: string, transferSyntaxUid: string): Buffer => writeDataset(aDataset(sopInstanceUid, seededUid('syntaxes-many'), 1 + (Number(sopInstanceUid.at(-1)) % 7), false), transferSyntaxUid);
    await archive.stow(many.map((sopInstanceUid) => Buffer.concat([part10Prefix({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid, transferSyntaxUid: IMPLICIT }), written(sopInstanceUid, IMPLICIT)])));
    const parts = await answerParts(await archive.get(`/studies/${seededUid('syntaxes-many')}`, { accept: `multipart/related; type="application/dicom"; transfer-syntax=${EXPLICIT}` }));
    expect(parts).toHaveLength(60);
    for (const { body } of parts) {
      const { sopInstanceUid, dataset } = opened(body);
      expect(dataset.equals(written(sopInstanceUid, EXPLICIT))).toBe(true);
    }
  });
  it('W05 tells the forms apart for who has one of them', async () => {
    const [stored, anew] = await Promise.all(['*', EXPLICIT].map((wanted) => archive.get(pathOf(IMPLICIT), { accept: `application/dicom; transfer-syntax=${wanted}` })));
    expect(stored!.headers.get('etag')).not.toBe(anew!.headers.get('etag'));
    expect((await archive.get(pathOf(IMPLICIT), { accept: `application/dicom; transfer-syntax=${EXPLICIT}`, 'if-none-match': anew!.headers.get('etag')! })).status).toBe(304);
  });
  it.each([JPEG_2000, DEFLATED, BIG_ENDIAN])('W05 answers 406 to %s and names what can be had', async (wanted) => {
    const response = await archive.get(pathOf(IMPLICIT), { accept: `application/dicom; transfer-syntax=${wanted}` });
    expect(response.status).toBe(406);
    expect(((await response.json()) as { detail: string }).detail).toMatch(/as they are stored \(1\.2\.840\.10008\.1\.2\), or in 1\.2\.840\.10008\.1\.2\.1 or 1\.2\.840\.10008\.1\.2: accept .*transfer-syntax=\*/);
  });
});

describe('W11 WADO-URI', () => {
  const uri = (stored: string, more = ''): string => `/wado?requestType=WADO&studyUID=${study}&seriesUID=${study}.1&objectUID=${uidOf(stored)}&contentType=application/dicom${more}`;
  it.each(['', '&transferSyntax=*', `&transferSyntax=${BIG_ENDIAN}`])('W11 gives an instance as it is stored, byte for byte, with its length (%s)', async (more) => {
    const response = await archive.get(uri(BIG_ENDIAN, more), { accept: 'image/jpeg' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, `application/dicom; transfer-syntax=${BIG_ENDIAN}`]);
    expect(response.headers.get('content-length')).toBe(String(objectIn(BIG_ENDIAN).length));
    expect(Buffer.from(await response.arrayBuffer()).equals(objectIn(BIG_ENDIAN))).toBe(true);
  });
  it('W11 gives it in another uncompressed transfer syntax', async () => {
    const response = await archive.get(uri(BIG_ENDIAN, `&transferSyntax=${EXPLICIT}`));
    expect(opened(Buffer.from(await response.arrayBuffer())).dataset.equals(datasetIn(BIG_ENDIAN, EXPLICIT))).toBe(true);
  });
  it('W11 answers 304 to who has it', async () => {
    const etag = (await archive.get(uri(EXPLICIT))).headers.get('etag')!;
    expect((await archive.get(uri(EXPLICIT), { 'if-none-match': etag })).status).toBe(304);
  });
  it.each([
    [406, uri(IMPLICIT, `&transferSyntax=${JPEG_2000}`), /or in 1\.2\.840\.10008\.1\.2\.1 or/], [406, uri(IMPLICIT).replace('application/dicom', 'image/jpeg'), /contentType=application\/dicom/],
    [400, uri(IMPLICIT, '&anonymize=yes'), /anonymize/], [400, uri(IMPLICIT).replace('studyUID', 'study'), /studyUID/], [404, uri(JPEG_2000), /no such instance/],
  ])('W11 answers %d to %s, in words', async (status, path, words) => {
    const response = await archive.get(path);
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(((await response.json()) as { detail: string }).detail).toMatch(words);
  });
});
