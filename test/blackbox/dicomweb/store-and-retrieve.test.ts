// STOW-RS, QIDO-RS and WADO-RS over HTTP against the real services.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import { request } from 'node:http';
import { InstanceDirectory, ReadInstance, SeriesMetadata } from '@perennia/egress';
import { JobQueue } from '@perennia/jobs';
import { PlaceReader } from '@perennia/storage';
import { part10, seededUid, type Part10Object } from '@perennia/testing';
import { answerParts as parts } from './answer-parts.js';
import { WebArchive } from './web-archive.js';

const dicom = 'multipart/related; type="application/dicom"; transfer-syntax=*';
let archive: WebArchive;
const study = seededUid('web-study');
const series = [seededUid('web-series-1'), seededUid('web-series-2')];
const objects: Part10Object[] = Array.from({ length: 12 }, (_, index) =>
  part10({
    studyInstanceUid: study, seriesInstanceUid: series[index % 2], sopInstanceUid: seededUid(`web-instance-${index}`), patientName: 'DOE^WEB', patientId: 'WEB-1',
    seriesNumber: (index % 2) + 1, instanceNumber: index + 1, pixelBytes: 2000 + 2 * index, pixelSeed: index, modality: index % 2 ? 'MR' : 'CT',
  }),
);
const pathOf = ({ values }: Part10Object): string => `/studies/${values.studyInstanceUid}/series/${values.seriesInstanceUid}/instances/${values.sopInstanceUid}`;

beforeAll(async () => {
  archive = await WebArchive.start();
}, 60_000);
afterAll(() => archive?.stop());

describe('STOW-RS', () => {
  it('W01 stores all parts, reports each, and they can be found at once', async () => {
    const response = await archive.stow(objects.map(({ bytes }) => bytes));
    const report = (await response.json()) as Record<string, { Value: Record<string, { Value: string[] }>[] }>;
    expect(response.status).toBe(200);
    expect(report['00081190']!.Value).toEqual([`${archive.root}/studies/${study}`]);
    expect(report['00081199']!.Value.map((item) => item['00081155']!.Value[0])).toEqual(objects.map(({ values }) => values.sopInstanceUid));
    expect(report['00081199']!.Value[0]!['00081190']!.Value[0]).toBe(archive.root + pathOf(objects[0]!));
    expect(await archive.json(`/studies/${study}/instances`)).toHaveLength(objects.length);
  });
  it('W01 answers 202 when some parts are refused and 409 when all are', async () => {
    const good = part10({ studyInstanceUid: seededUid('mixed'), seriesInstanceUid: seededUid('mixed-s'), sopInstanceUid: seededUid('mixed-i') });
    const mixed = await archive.stow([good.bytes, Buffer.from('no dicom at all'), { bytes: 'hello', contentType: 'text/plain' }]);
    const report = (await mixed.json()) as Record<string, { Value: Record<string, { Value: unknown[] }>[] }>;
    expect(mixed.status).toBe(202);
    expect(report['00081198']!.Value.map((item) => item['00081197']!.Value)).toEqual([[0xc000], [0xc000]]);
    expect(report['00081199']!.Value).toHaveLength(1);
    expect((await archive.stow([Buffer.from('no dicom')])).status).toBe(409);
  });
  it('W01 refuses instances of another study than the path names', async () => {
    const other = part10({ studyInstanceUid: seededUid('elsewhere'), seriesInstanceUid: seededUid('elsewhere-s'), sopInstanceUid: seededUid('elsewhere-i') });
    const response = await archive.stow([other.bytes], `/studies/${seededUid('not-here')}`);
    expect(response.status).toBe(409);
    expect(((await response.json()) as Record<string, { Value: Record<string, { Value: number[] }>[] }>)['00081198']!.Value[0]!['00081197']!.Value).toEqual([0xa900]);
  });
  it('W03 takes the same instance again, and the same in parallel, as stored', async () => {
    const object = part10({ studyInstanceUid: seededUid('again'), seriesInstanceUid: seededUid('again-s'), sopInstanceUid: seededUid('again-i') });
    const answers = await Promise.all(Array.from({ length: 4 }, () => archive.stow([object.bytes])));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await archive.json(`/studies/${seededUid('again')}/instances`)).toHaveLength(1);
  });
  it.each<[number, Record<string, string>]>([
    [415, { 'content-type': 'application/json' }],
    [415, { 'content-type': 'application/dicom' }],
    [415, { 'content-type': 'multipart/related; type="application/dicom+json"; boundary=part' }],
    [415, { 'content-encoding': 'gzip' }],
    [400, { 'content-type': 'multipart/related; type="application/dicom"' }],
    [400, { 'content-type': 'multipart/related; type="application/dicom"; boundary=other' }],
    [406, { accept: 'application/dicom+xml' }],
  ])('answers %d to %j with problem details', async (status, headers) => {
    const response = await archive.stow([objects[0]!.bytes], '/studies', headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status, detail: expect.any(String) });
  });
});

describe('QIDO-RS', () => {
  it('finds by keyword and tag, counts, and gives 204 for nothing', async () => {
    const [found] = await archive.json(`/studies?PatientName=doe^web&00080061=CT`);
    expect(found).toMatchObject({ '0020000D': { Value: [study] }, '00201206': { Value: [2] }, '00201208': { Value: [12] }, '00081190': { Value: [`${archive.root}/studies/${study}`] } });
    expect((found!['00080061']!.Value as string[]).toSorted()).toEqual(['CT', 'MR']);
    expect((await archive.get('/studies?PatientID=NOBODY')).status).toBe(204);
    expect(await archive.json(`/series?StudyInstanceUID=${study}`)).toHaveLength(2);
    expect(await archive.json(`/instances?SeriesInstanceUID=${series[0]}`)).toHaveLength(6);
    expect(await archive.json(`/studies/${study}/series/${series[1]}/instances?InstanceNumber=2`)).toHaveLength(1);
  });
  it('leads through all pages by Link', async () => {
    const seen: unknown[] = [];
    let next: string | undefined = `${archive.root}/studies/${study}/instances?limit=5`;
    while (next) {
      const response: Response = await fetch(next);
      seen.push(...((await response.json()) as Record<string, { Value: string[] }>[]).map((each) => each['00080018']!.Value[0]));
      next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    }
    expect(new Set(seen)).toEqual(new Set(objects.map(({ values }) => values.sopInstanceUid)));
    expect(seen).toHaveLength(12);
  });
  it('streams answers larger than a page and gives their Link', async () => {
    const response = await archive.get(`/studies/${study}/instances?limit=1001`);
    expect(await response.json()).toHaveLength(12);
    expect(response.headers.get('link')).toBeNull();
  });
  it('warns about what it ignored and compresses for those who take it', async () => {
    const response = await archive.get('/studies?fuzzymatching=true&Modality=CT&includefield=all');
    expect(response.headers.get('warning')).toMatch(/299 Perennia "The fuzzymatching.*00080060/);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await response.json() as unknown[]).length).toBeGreaterThan(2);
  });
  it.each([[400, '/studies?Nonsense=1'], [400, '/studies?limit=x'], [400, '/studies?offset=10001'], [400, '/studies/abc/series'], [404, '/nothing'], [400, '/studies?cursor=abc'], [400, '/studies/%zz']])('answers %d to %s', async (status, path) => {
    const response = await archive.get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('WADO-RS', () => {
  it.each([['study', `/studies/${study}`, 12], ['series', `/studies/${study}/series/${series[0]}`, 6]])('W05 gives a %s back byte for byte', async (_, path, count) => {
    const response = await archive.get(path, { accept: dicom });
    const found = await parts(response);
    expect(found).toHaveLength(count);
    for (const { headers, body } of found) {
      const object = objects.find(({ values }) => headers['content-location']!.endsWith(values.sopInstanceUid))!;
      expect(body.equals(object.bytes)).toBe(true);
    }
  });
  it('W05 gives an instance as multipart or by itself, with 304 and 406', async () => {
    const path = pathOf(objects[3]!);
    const [multi] = await parts(await archive.get(path, { accept: dicom }));
    expect(multi!.body.equals(objects[3]!.bytes)).toBe(true);
    const single = await archive.get(path, { accept: 'application/dicom' });
    expect(Buffer.from(await single.arrayBuffer()).equals(objects[3]!.bytes)).toBe(true);
    expect(single.headers.get('content-disposition')).toMatch(/attachment/);
    expect((await archive.get(path, { accept: 'application/dicom', 'if-none-match': single.headers.get('etag')! })).status).toBe(304);
    expect((await archive.get(`${path}?accept=application/dicom`)).headers.get('content-type')).toMatch(/^application\/dicom/);
    const impossible = await archive.get(path, { accept: 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.90' });
    expect(impossible.status).toBe(406);
    expect(((await impossible.json()) as { detail: string }).detail).toMatch(/as they are stored/);
    expect((await archive.get(`/studies/${seededUid('nowhere')}`, { accept: dicom })).status).toBe(404);
  });
  it('W06 gives frames, single and listed', async () => {
    const path = `${pathOf(objects[5]!)}/frames`;
    const pixels = objects[5]!.bytes.subarray(-objects[5]!.values.pixelBytes);
    const [frame] = await parts(await archive.get(`${path}/1`, { accept: 'multipart/related; type="application/octet-stream"' }));
    expect(frame!.body.equals(pixels)).toBe(true);
    expect(Buffer.from(await (await archive.get(`${path}/1`, { accept: 'application/octet-stream' })).arrayBuffer()).equals(pixels)).toBe(true);
    expect(await parts(await archive.get(`${path}/1,1`, { accept: '*/*' }))).toHaveLength(2);
    expect((await archive.get(`${path}/2`)).status).toBe(404);
    expect((await archive.get(`${path}/0`)).status).toBe(400);
    expect((await archive.get(`${path}/1`, { accept: 'image/jpeg' })).status).toBe(406);
  });
  it('gives bulk data, whole and by range', async () => {
    const [metadata] = await archive.json(`${pathOf(objects[7]!)}/metadata`);
    const uri = metadata!['7FE00010']!.BulkDataURI!;
    expect(uri).toBe(`${archive.root}${pathOf(objects[7]!)}/bulkdata/7FE00010`);
    const pixels = objects[7]!.bytes.subarray(-objects[7]!.values.pixelBytes);
    const whole = await fetch(uri, { headers: { accept: 'application/octet-stream' } });
    expect(Buffer.from(await whole.arrayBuffer()).equals(pixels)).toBe(true);
    const [part] = await parts(await fetch(uri, { headers: { accept: 'multipart/related; type="application/octet-stream"' } }));
    expect(part!.body.equals(pixels)).toBe(true);
    const range = await fetch(uri, { headers: { range: 'bytes=10-19' } });
    expect(range.status).toBe(206);
    expect(range.headers.get('content-range')).toBe(`bytes 10-19/${pixels.length}`);
    expect(Buffer.from(await range.arrayBuffer()).equals(pixels.subarray(10, 20))).toBe(true);
    expect((await fetch(uri, { headers: { range: 'bytes=999999-' } })).status).toBe(416);
    expect((await fetch(uri.replace('7FE00010', '00091001'))).status).toBe(404);
  });
});

describe('metadata', () => {
  it.each([[`/studies/${study}/metadata`, 12], [`/studies/${study}/series/${series[0]}/metadata`, 6], [`${pathOf(objects[0]!)}/metadata`, 1]])('W07 %s has all instances', async (path, count) => {
    const found = await archive.json(path);
    expect(found).toHaveLength(count);
    expect(found[0]).toMatchObject({ '00080018': {}, '00100010': { vr: 'PN', Value: [{ Alphabetic: 'DOE^WEB' }] }, '7FE00010': { BulkDataURI: expect.stringMatching(`^${archive.root}/studies/`) } });
    const first = await archive.get(path);
    expect((await archive.get(path, { 'if-none-match': first.headers.get('etag')! })).status).toBe(304);
  });
  it('W07 comes from the prebuilt blob with the base URL of each client, and without it when the series has changed', async () => {
    const { imaging } = archive.database;
    const directory = new InstanceDirectory({ imaging, jobs: new JobQueue(imaging), tiers: ['hot'], trustMs: 86_400_000 });
    const places = (archive as unknown as { context: { get(token: typeof PlaceReader, options: object): PlaceReader } }).context.get(PlaceReader, { strict: false });
    const metadata = new SeriesMetadata(directory, new ReadInstance(directory, places), archive.store);
    const path = `/studies/${study}/series/${series[0]}/metadata`;
    const live = await (await archive.get(path)).text();
    const [row] = await directory.series({ tenantId: 'default', studyInstanceUid: study, seriesInstanceUid: series[0]! });
    const { blob, version } = await metadata.build(row!.bucket, row!.id);
    const writer = await archive.store.create('work/metadata/test');
    await writer.write(blob);
    await writer.commit();
    await imaging.query(`update imaging.series set metadata_key = 'work/metadata/test', metadata_version = $2 where id = $1`, [row!.id, version]);
    const prebuilt = await archive.get(path);
    expect(JSON.parse(await prebuilt.text())).toEqual(JSON.parse(live));
    const elsewhere = await new Promise<string>((resolve, reject) => {
      request(archive.root + path, { headers: { host: 'archive.example:8443', 'accept-encoding': 'gzip' } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(gunzipSync(Buffer.concat(chunks)).toString()));
      }).on('error', reject).end();
    });
    expect(JSON.parse(elsewhere)).toEqual(JSON.parse(live.replaceAll(`127.0.0.1:${archive.port}`, 'archive.example:8443')));
    await imaging.query(`update imaging.series set version = version + 1 where id = $1`, [row!.id]);
    expect(JSON.parse(await (await archive.get(path)).text())).toEqual(JSON.parse(live));
  });
  it('names the right port to clients that send Host without it', async () => {
    const body = await new Promise<string>((resolve, reject) => {
      request(`${archive.root}${pathOf(objects[0]!)}/metadata`, { headers: { host: '127.0.0.1' }, setHost: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text));
      }).on('error', reject).end();
    });
    expect(body).toContain(`"BulkDataURI":"${archive.root}${pathOf(objects[0]!)}/bulkdata/7FE00010"`);
  });
});
