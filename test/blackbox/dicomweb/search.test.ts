// QIDO-RS over HTTP against the real services: which resources there are, how attributes are named, what an answer that is cut says, and what
// addresses it holds behind a proxy.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { part10Prefix } from '@perennia/dicom-stream';
import { seededUid } from '@perennia/testing';
import { WebArchive } from './web-archive.js';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 8;
const study = seededUid('search-study');
const series = [1, 2].map((number) => seededUid(`search-series-${number}`));
const INSTANCES = 12;
let archive: WebArchive;

function object(instance: number): Buffer {
  const sopInstanceUid = seededUid(`search-instance-${instance}`);
  const half = instance % 2;
  const dataset = new Dataset()
    .set('SOPClassUID', SECONDARY_CAPTURE).set('SOPInstanceUID', sopInstanceUid).set('StudyInstanceUID', study).set('SeriesInstanceUID', series[half]!).set('InstanceNumber', instance)
    .set('PatientID', 'SEARCH-1').set('PatientName', 'DOE^SEARCH').set('Modality', half ? 'MR' : 'CT')
    .set('RequestAttributesSequence', [new Dataset().set('ScheduledProcedureStepID', `STEP-${half}`).set('RequestedProcedureID', 'PROCEDURE')]);
  return Buffer.concat([part10Prefix({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE }), writeDataset(dataset, EXPLICIT_LITTLE)]);
}

beforeAll(async () => {
  archive = await WebArchive.start({ defaultLimit: DEFAULT_LIMIT, maxLimit: MAX_LIMIT, trustedProxies: ['127.0.0.0/8'] });
  expect((await archive.stow(Array.from({ length: INSTANCES }, (_, index) => object(index + 1)))).status).toBe(200);
}, 60_000);
afterAll(() => archive?.stop());

describe('QIDO-RS', () => {
  it.each([
    ['/studies', 1],
    [`/studies/${study}/series`, 2],
    [`/studies/${study}/series/${series[0]}/instances?limit=${MAX_LIMIT}`, INSTANCES / 2],
    [`/studies/${study}/instances?InstanceNumber=7`, 1],
    ['/series?PatientID=SEARCH-1', 2],
    ['/series?PatientID=SEARCH-1&Modality=MR', 1],
    ['/instances?PatientName=DOE*&Modality=CT&InstanceNumber=2', 1],
    ['/instances?PatientID=NOBODY', 0],
  ])('W13 has the resource %s', async (path, count) => {
    expect(await archive.json(path)).toHaveLength(count);
  });

  it.each([
    'Modality=MR', '00080060=MR', 'RequestAttributesSequence.ScheduledProcedureStepID=STEP-1', '00400275.00400009=STEP-1', 'RequestAttributesSequence.00400009=*-1',
  ])('W14 takes an attribute as keyword, as tag, and inside a sequence: %s', async (key) => {
    const found = await archive.json(`/studies/${study}/series?${key}`);
    expect(found.map((each) => each['0020000E']!.Value)).toEqual([[series[1]]]);
  });

  it.each([
    ['no limit', '', DEFAULT_LIMIT],
    ['a limit above the highest', '?limit=100', MAX_LIMIT],
  ])('W18 given %s, then an answer that is cut says so in Warning 299 and leads on by Link', async (_, query, given) => {
    const response = await archive.get(`/studies/${study}/instances${query}`);
    expect(await response.json()).toHaveLength(given);
    expect(response.headers.get('warning')).toMatch(new RegExp(`^299 .*There are more results than the ${given} given here`));
    expect(response.headers.get('link')).toMatch(/cursor=.*rel="next"/);
  });
  it('W18 given a limit that was kept, or all there is, then nobody is warned', async () => {
    for (const path of ['instances?limit=4', 'series']) expect((await archive.get(`/studies/${study}/${path}`)).headers.get('warning')).toBeNull();
  });

  it.each([
    ['Forwarded', { forwarded: 'for=192.0.2.7;host=pacs.example;proto=https' }, 'https://pacs.example/dicom-web'],
    ['X-Forwarded', { 'x-forwarded-host': 'pacs.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '8443', 'x-forwarded-prefix': '/images' }, 'https://pacs.example:8443/images/dicom-web'],
  ])('W28 given a trusted proxy that sends %s, then Retrieve URL and Link have its address', async (_, headers, base) => {
    const response = await archive.get(`/studies/${study}/instances`, headers);
    const [instance] = (await response.json()) as Record<string, { Value: string[] }>[];
    expect(instance!['00081190']!.Value[0]).toMatch(new RegExp(`^${base}/studies/${study}/series/`));
    expect(response.headers.get('link')).toContain(`<${base}/studies/${study}/instances?`);
  });
});
