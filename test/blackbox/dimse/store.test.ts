// C-STORE of the running archive: every transfer syntax is taken as it is and given back as it came; and what a success says to a source that
// wants its objects findable.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dataset, Fragments, transferSyntaxOf, writeDataset } from '@perennia/dicom-data';
import { DicomRequestor, type RequestorAssociation } from '@perennia/dicom-net';
import { Product } from '@perennia/testing';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const jpegLike = (numbers: readonly string[]): string[] => numbers.map((number) => `1.2.840.10008.1.2.4.${number}`);
const SYNTAXES: readonly string[] = [
  '1.2.840.10008.1.2', EXPLICIT_LITTLE, '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.5',
  ...jpegLike(['50', '51', '57', '70', '80', '81', '90', '91', '201', '202', '203', '110', '111', '112']),
  ...jpegLike(['100', '100.1', '101', '101.1', '102', '102.1', '103', '103.1', '104', '104.1', '105', '105.1', '106', '106.1', '107', '108']),
];
/** So often that no answer can be right by chance. */
const TIMES = 10;
const directory = mkdtempSync(join(tmpdir(), 'perennia-store-'));
const root = `1.2.826.0.1.3680043.10.8.${Date.now()}`;
let product: Product;
let stored = 0;

beforeAll(async () => {
  const profiles = [{ name: 'reading-room', callingAets: ['FINDABLE'], acknowledge: 'indexed' }, { name: 'others', addresses: ['127.0.0.0/8'] }];
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn', VNA_SOURCES_PROFILES: JSON.stringify(profiles) } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Sent {
  path: string;
  sopInstanceUid: string;
  dataset: Buffer;
}
const associate = (callingAet: string, transferSyntax: string): Promise<RequestorAssociation> =>
  DicomRequestor.connect({ host: '127.0.0.1', port: product.dicomPort, callingAet, calledAet: 'PERENNIA', contexts: [{ abstractSyntax: SECONDARY_CAPTURE, transferSyntaxes: [transferSyntax] }] });

async function store(association: RequestorAssociation, transferSyntaxUid: string): Promise<Sent> {
  const uid = `${root}.${++stored}`;
  const sopInstanceUid = `${uid}.1.1`;
  const { encapsulated } = transferSyntaxOf(transferSyntaxUid);
  const dataset = writeDataset(
    new Dataset()
      .set('SOPClassUID', SECONDARY_CAPTURE).set('SOPInstanceUID', sopInstanceUid).set('StudyInstanceUID', uid).set('SeriesInstanceUID', `${uid}.1`).set('Modality', 'OT').set('PatientID', 'S1')
      .set('Rows', 2).set('Columns', 2).set('BitsAllocated', 16).set('SamplesPerPixel', 1)
      .set('PixelData', encapsulated ? new Fragments([Buffer.from('no pixels in here'.padEnd(18))]) : Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]), encapsulated ? 'OB' : 'OW'),
    transferSyntaxUid,
  );
  expect(await association.store({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid, transferSyntaxUid, dataset })).toEqual({ status: 0 });
  return { path: `/studies/${uid}/series/${uid}.1/instances/${sopInstanceUid}`, sopInstanceUid, dataset };
}

/** Waits until it is found. @returns transfer syntax and dataset as WADO-RS gives them */
async function retrieved({ path }: Sent): Promise<{ syntax: string; dataset: Buffer }> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(product.web + path, { headers: { accept: 'application/dicom; transfer-syntax=*' } });
    const file = Buffer.from(await response.arrayBuffer());
    if (response.status === 200) return { syntax: /transfer-syntax=([\d.]+)/.exec(response.headers.get('content-type')!)![1]!, dataset: file.subarray(144 + file.readUInt32LE(140)) };
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('It is not found.');
}

async function takenAndGivenBack(syntax: string): Promise<void> {
  const association = await associate('MODALITY', syntax);
  expect(association.acceptedContexts).toMatchObject([{ transferSyntax: syntax }]);
  const sent = await store(association, syntax);
  await association.release();
  expect(await retrieved(sent)).toEqual({ syntax, dataset: sent.dataset });
}

describe('C-STORE', () => {
  it.each(SYNTAXES)('D18 an object in transfer syntax %s is taken in it and given back byte for byte', takenAndGivenBack);

  it('D19 an object in Explicit VR Big Endian is taken in it, found by what it says, and given back byte for byte', async () => {
    await takenAndGivenBack(BIG_ENDIAN);
    const found = await fetch(`${product.web}/instances?StudyInstanceUID=${root}.${stored}&Rows=2`, { headers: { accept: 'application/dicom+json' } });
    expect(await found.json()).toMatchObject([{ '00280010': { Value: [2] }, '00280011': { Value: [2] } }]);
  });

  it('D02 given a source that wants its objects findable, when it is told success, then they are found at once', async () => {
    const association = await associate('FINDABLE', EXPLICIT_LITTLE);
    for (let time = 0; time < TIMES; time++) {
      const { sopInstanceUid } = await store(association, EXPLICIT_LITTLE);
      const found = await fetch(`${product.web}/instances?SOPInstanceUID=${sopInstanceUid}`, { headers: { accept: 'application/dicom+json' } });
      expect([found.status, await found.text()]).toEqual([200, expect.stringContaining(sopInstanceUid)]);
    }
    await association.release();
  });
});
