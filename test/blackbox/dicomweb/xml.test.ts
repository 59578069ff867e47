// Metadata and search results as XML of the Native DICOM Model, the same as in JSON.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nativeModelXml } from '@perennia/dicom-data';
import { part10, seededUid } from '@perennia/testing';
import { answerParts } from './answer-parts.js';
import { WebArchive } from './web-archive.js';

const XML = 'multipart/related; type="application/dicom+xml"';
const study = seededUid('xml-study');
const seriesUids = [seededUid('xml-series-1'), seededUid('xml-series-2')];
let archive: WebArchive;

beforeAll(async () => {
  archive = await WebArchive.start();
  const objects = Array.from({ length: 40 }, (_, index) =>
    part10({ studyInstanceUid: study, seriesInstanceUid: seriesUids[index % 2]!, sopInstanceUid: seededUid(`xml-instance-${index}`), patientName: 'DOE^X<M&L', seriesNumber: (index % 2) + 1, instanceNumber: index + 1 }));
  await archive.stow(objects.map(({ bytes }) => bytes));
}, 60_000);
afterAll(() => archive?.stop());

/** What JSON.parse makes of the answer in JSON, written as XML. */
async function expected(path: string): Promise<string[]> {
  return (await archive.json(path)).map((dataset) => nativeModelXml(dataset));
}
async function given(path: string): Promise<string[]> {
  const response = await archive.get(path, { accept: XML });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^multipart\/related; type="application\/dicom\+xml"; boundary=/)]);
  const parts = await answerParts(response);
  expect(parts.every(({ headers }) => headers['content-type'] === 'application/dicom+xml')).toBe(true);
  return parts.map(({ body }) => body.toString());
}

describe('application/dicom+xml', () => {
  it.each([
    ['W07 metadata of a study', 40, `/studies/${study}/metadata`], ['W07 metadata of a series', 20, `/studies/${study}/series/${seriesUids[0]}/metadata`],
    ['W07 metadata of an instance', 1, `/studies/${study}/series/${seriesUids[0]}/instances/${seededUid('xml-instance-0')}/metadata`],
    ['W13 studies', 1, `/studies?PatientName=DOE*`], ['W13 series', 2, `/studies/${study}/series?includefield=all`], ['W13 instances, more than a page', 40, `/studies/${study}/instances?limit=1001`],
  ])('%s: one part for each of %d, which says what JSON says', async (_, count, path) => {
    const documents = await given(path);
    expect(documents).toHaveLength(count);
    expect(documents).toEqual(await expected(path));
  });
  it('W07 has an entity tag of its own', async () => {
    const path = `/studies/${study}/metadata`;
    const [json, xml] = await Promise.all(['application/dicom+json', XML].map((accept) => archive.get(path, { accept })));
    expect(xml!.headers.get('etag')).not.toBe(json!.headers.get('etag'));
    expect((await archive.get(path, { accept: XML, 'if-none-match': xml!.headers.get('etag')! })).status).toBe(304);
  });
  it.each<[string, RegExp]>([
    [`${XML}; q=0.5, application/dicom+json`, /^application\/dicom\+json$/], [`${XML}, application/dicom+json; q=0.5`, /^multipart\/related/], ['*/*', /^application\/dicom\+json$/],
  ])('W13 is negotiated: %s', async (accept, type) => expect((await archive.get('/studies', { accept })).headers.get('content-type')).toMatch(type));
  it('W13 gives 204 for nothing, and 406 with the alternatives to who takes none of them', async () => {
    expect((await archive.get('/studies?PatientID=NOBODY', { accept: XML })).status).toBe(204);
    const refused = await archive.get('/studies', { accept: 'text/html' });
    expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([406, expect.stringContaining('application/dicom+xml')]);
  });
});
