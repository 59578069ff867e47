import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceReceived } from '@perennia/contracts';
import { OutboxWriter } from '@perennia/messaging';
import { SystemClock } from '@perennia/telemetry';
import { cloneTemplateDatabase, instanceReceived, part10, receipt, seededUid, type ReceiptOptions, type TestDatabase } from '@perennia/testing';
import { IndexBatch } from './index-batch.js';
import { catalogueDigest } from './catalogue-digest.js';
import { incomingInstances } from './incoming-instance.js';
import { PatientDirectory } from './patient-directory.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneTemplateDatabase({ poolSize: 24 });
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.imaging.query('truncate imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory, imaging.duplicate, imaging.outbox');
  await database.control.query('truncate control.patient_identifier, control.patient, control.issuer cascade');
});

/** A consumer with caches of its own, as in a process of its own. */
function consumer(): { apply(batch: readonly InstanceReceived[]): ReturnType<IndexBatch['apply']> } {
  const indexer = new IndexBatch(database.imaging, new PatientDirectory(database.control), new OutboxWriter('imaging'), new SystemClock());
  return { apply: (batch) => indexer.apply(incomingInstances(batch)) };
}
const received = (options: ReceiptOptions): InstanceReceived => instanceReceived(receipt(options));
const uid = seededUid;

function series(study: string, name: string, count: number, more: ReceiptOptions = {}): InstanceReceived[] {
  return Array.from({ length: count }, (_, index) =>
    received({ studyInstanceUid: uid(study), seriesInstanceUid: uid(`${study}.${name}`), sopInstanceUid: uid(`${study}.${name}.${index}`), instanceNumber: index + 1, ...more }));
}

interface StudyCounts {
  series: number;
  instances: number;
  bytes: number;
  modalities: string[];
}
async function studyCounts(): Promise<StudyCounts[]> {
  return database.imaging.query<StudyCounts>(
    'select number_of_series as series, number_of_instances as instances, total_bytes as bytes, modalities from imaging.study order by study_instance_uid');
}
/** Studies and series whose counts are not those of their rows. */
async function miscounted(): Promise<unknown[]> {
  return database.imaging.query(`
    select s.study_instance_uid from imaging.study s
    where (number_of_instances, total_bytes) <>
            (select count(*)::int, coalesce(sum(object_length), 0)::bigint from imaging.instance i where i.study_id = s.id and i.state = 'current')
       or number_of_series <> (select count(*) from imaging.series r where r.study_id = s.id)
       or modalities <> (select array_agg(distinct modality order by modality) from imaging.series r where r.study_id = s.id)
    union all
    select r.series_instance_uid from imaging.series r
    where (number_of_instances, total_bytes) <>
      (select count(*)::int, coalesce(sum(object_length), 0)::bigint from imaging.instance i where i.study_id = r.study_id and i.series_id = r.id and i.state = 'current')`);
}

describe('IndexBatch', () => {
  it('keeps the traces of the instances that have one where filing finds them, and the digest of the catalogue does not', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const batch = incomingInstances(series('A', 'ct', 3));
    const indexer = new IndexBatch(database.imaging, new PatientDirectory(database.control), null, new SystemClock());
    await indexer.apply(batch);
    const { sha256 } = await catalogueDigest(database.imaging);
    await database.imaging.query('truncate imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory');
    await indexer.apply(batch.map((instance, at) => (at === 1 ? { ...instance, traceparent } : instance)));
    expect(await database.imaging.query('select instance_number as number, ext from imaging.instance order by 1')).toEqual([
      { number: 1, ext: {} }, { number: 2, ext: { traceparent } }, { number: 3, ext: {} },
    ]);
    expect((await catalogueDigest(database.imaging)).sha256).toBe(sha256);
  });

  it('makes studies, series, instances, copies and one change per study of a batch', async () => {
    await consumer().apply([...series('A', 'ct', 3, { modality: 'CT' }), ...series('A', 'sr', 1, { modality: 'SR' }), ...series('B', 'us', 2, { modality: 'US' })]);
    const counts = await studyCounts();
    expect(counts.map(({ series: seriesCount, instances, modalities }) => ({ series: seriesCount, instances, modalities })).toSorted((a, b) => b.instances - a.instances)).toEqual([
      { series: 2, instances: 4, modalities: ['CT', 'SR'] },
      { series: 1, instances: 2, modalities: ['US'] },
    ]);
    expect(await miscounted()).toEqual([]);
    const events = await database.imaging.query<{ value: string }>('select value from imaging.outbox');
    expect(events.map(({ value }) => JSON.parse(value).data).map(({ reasons, numberOfInstances }) => ({ reasons, numberOfInstances })).toSorted((a, b) => b.numberOfInstances - a.numberOfInstances)).toEqual([
      { reasons: ['instances'], numberOfInstances: 4 },
      { reasons: ['instances'], numberOfInstances: 2 },
    ]);
  });

  it('drops nothing and doubles nothing when every receipt is delivered three times', async () => {
    const first = [...series('A', 'ct', 40), ...series('B', 'ct', 25)];
    const conflicting = received({ studyInstanceUid: uid('A'), seriesInstanceUid: uid('A.ct'), sopInstanceUid: uid('A.ct.0'), pixelSeed: 7 });
    const again = received({ studyInstanceUid: uid('A'), seriesInstanceUid: uid('A.ct'), sopInstanceUid: uid('A.ct.1'), instanceNumber: 2 });
    const all = [...first, conflicting, again];
    const [one, two] = [consumer(), consumer()];
    await one.apply(all);
    await two.apply(all);
    const third = await one.apply([...all, ...all]);
    expect(third).toMatchObject({ instances: 0, redundant: 0, conflicts: 0 });
    expect((await studyCounts()).map(({ instances }) => instances).toSorted()).toEqual([25, 40]);
    expect(await database.imaging.query('select kind from imaging.duplicate order by kind')).toEqual([{ kind: 'conflict' }, { kind: 'redundant' }]);
    expect(await miscounted()).toEqual([]);
  });

  it('keeps counts right when two consumers index the same and neighbouring receipts at once', async () => {
    const batches = Array.from({ length: 8 }, (_, index) => [...series('A', `s${index % 3}`, 30), ...series(`B${index % 2}`, 'x', 20, { modality: `M${index % 2}` })]);
    const consumers = [consumer(), consumer()];
    await Promise.all(batches.map((batch, index) => consumers[index % 2]!.apply(index % 3 === 0 ? [...batch].toReversed() : batch)));
    expect((await studyCounts()).map(({ instances }) => instances).toSorted((a, b) => a - b)).toEqual([20, 20, 90]);
    expect(await miscounted()).toEqual([]);
  });

  it('makes one patient and one study of 100 parallel batches from several processes', async () => {
    const consumers = Array.from({ length: 10 }, consumer);
    await Promise.all(Array.from({ length: 100 }, (_, index) => consumers[index % 10]!.apply(series('A', `s${index}`, 2, { patientId: 'NEW', issuer: 'HOSPITAL' }))));
    expect(await database.control.query('select value from control.patient_identifier')).toEqual([{ value: 'NEW' }]);
    expect(await database.control.query('select count(*) as n from control.patient')).toEqual([{ n: 1 }]);
    expect(await studyCounts()).toMatchObject([{ series: 100, instances: 200 }]);
    expect(await miscounted()).toEqual([]);
  });

  it('tells patients of different issuers apart and gives each study without Patient ID a patient of its own', async () => {
    await consumer().apply([
      ...series('A', 's', 1, { patientId: '1', issuer: 'X' }), ...series('B', 's', 1, { patientId: '1', issuer: 'Y' }), ...series('C', 's', 1, { patientId: '1' }),
      ...series('D', 's', 1, { patientId: '1' }), ...series('E', 's', 2, { patientId: null }), ...series('F', 's', 1, { patientId: null }),
    ]);
    expect(await database.imaging.query('select count(distinct patient_id) as n from imaging.study')).toEqual([{ n: 5 }]);
  });

  it('uses the patient to whom an identifier is assigned already', async () => {
    const patientId = '0190aaaa-0000-7000-8000-000000000001';
    await database.control.query(`insert into control.issuer (issuer_id, tenant_id, local_namespace) values ($1, 'default', 'HIS')`, [patientId]);
    await database.control.query(`insert into control.patient (patient_id, tenant_id, surviving_id, version) values ($1, 'default', $1, 4)`, [patientId]);
    await database.control.query(`insert into control.patient_identifier (tenant_id, issuer_id, value, patient_id) values ('default', $1, '77', $1)`, [patientId]);
    await consumer().apply(series('A', 's', 1, { patientId: '77', issuer: 'HIS' }));
    expect(await database.imaging.query('select patient_id, patient_version from imaging.study')).toEqual([{ patient_id: patientId, patient_version: 4 }]);
  });

  it('keeps the first of 16 parallel objects with one UID: equal ones are redundant, others conflicts', async () => {
    const same = { studyInstanceUid: uid('A'), seriesInstanceUid: uid('A.s'), sopInstanceUid: uid('A.s.0') };
    await Promise.all(Array.from({ length: 16 }, () => consumer().apply([received(same)])));
    expect(await database.imaging.query('select kind, count(*) as n from imaging.duplicate group by kind')).toEqual([{ kind: 'redundant', n: 15 }]);
    const other = { ...same, sopInstanceUid: uid('A.s.1') };
    await Promise.all(Array.from({ length: 16 }, (_, pixelSeed) => consumer().apply([received({ ...other, pixelSeed })])));
    expect(await database.imaging.query('select kind, count(*) as n from imaging.duplicate group by kind order by kind')).toEqual([{ kind: 'conflict', n: 15 }, { kind: 'redundant', n: 15 }]);
    expect(await studyCounts()).toMatchObject([{ instances: 2 }]);
    const [kept] = await database.imaging.query<{ instance_id: string }>(`select distinct instance_id from imaging.duplicate where kind = 'conflict'`);
    expect(await database.imaging.query('select instance_id from imaging.sop_directory where sop_instance_uid = $1', [other.sopInstanceUid])).toEqual([kept]);
  });

  it('tells the study of a conflict, and finds a UID that is used in another study', async () => {
    await consumer().apply(series('A', 's', 1));
    await consumer().apply([received({ studyInstanceUid: uid('B'), seriesInstanceUid: uid('B.s'), sopInstanceUid: uid('A.s.0'), onConflict: 'supersede' })]);
    expect(await database.imaging.query('select kind, study_instance_uid from imaging.duplicate')).toEqual([{ kind: 'conflict', study_instance_uid: uid('B') }]);
    expect(await studyCounts()).toHaveLength(1);
    const events = await database.imaging.query<{ value: string }>('select value from imaging.outbox order by id');
    expect(JSON.parse(events.at(-1)!.value).data).toMatchObject({ studyInstanceUid: uid('A'), reasons: ['conflict'], studyVersion: 2 });
  });

  it('supersedes where the source wants it: both kept, the newest found and counted', async () => {
    const same: ReceiptOptions = { studyInstanceUid: uid('A'), seriesInstanceUid: uid('A.s'), sopInstanceUid: uid('A.s.0'), onConflict: 'supersede' };
    await consumer().apply([...series('A', 's', 3), received({ ...same, pixelSeed: 1, pixelBytes: 512 })]);
    await consumer().apply([received({ ...same, pixelSeed: 2, pixelBytes: 1024, seriesInstanceUid: uid('A.other') })]);
    expect(await database.imaging.query('select version, state from imaging.instance where sop_instance_uid = $1 order by version', [same.sopInstanceUid])).toEqual([
      { version: 1, state: 'superseded' }, { version: 2, state: 'superseded' }, { version: 3, state: 'current' },
    ]);
    expect(await database.imaging.query(
      'select i.version from imaging.sop_directory d join imaging.instance i on i.bucket = d.bucket and i.id = d.instance_id where d.sop_instance_uid = $1', [same.sopInstanceUid],
    )).toEqual([{ version: 3 }]);
    expect(await studyCounts()).toMatchObject([{ series: 2, instances: 3 }]);
    expect(await miscounted()).toEqual([]);
  });

  it('keeps the first values and fills in what was empty', async () => {
    const bare = received({ studyInstanceUid: uid('A'), seriesInstanceUid: uid('A.s'), sopInstanceUid: uid('1'), patientId: null });
    bare.attributes.study = { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'FIRST' }] }, '00080050': { vr: 'SH' } };
    bare.search = { ...bare.search, patientName: 'first', accessionNumber: null };
    await consumer().apply([bare]);
    await consumer().apply([received({ studyInstanceUid: uid('A'), seriesInstanceUid: uid('A.s'), sopInstanceUid: uid('2'), patientId: 'LATER', accessionNumber: 'ACC' })]);
    const [study] = await database.imaging.query<{ attributes: Record<string, { Value?: unknown[] }> }>(
      'select patient_name, accession_number, patient_identifier, attributes from imaging.study');
    expect(study).toMatchObject({ patient_name: 'first', accession_number: 'ACC', patient_identifier: 'LATER' });
    expect(study!.attributes['00080050']!.Value).toEqual(['ACC']);
    expect(study!.attributes['00100010']!.Value).toEqual([{ Alphabetic: 'FIRST' }]);
    expect(study!.attributes['00100020']!.Value).toEqual(['LATER']);
  });

  it('opens a settled study again when something arrives late', async () => {
    await consumer().apply(series('A', 's', 1));
    await database.imaging.query(`update imaging.study set state = 'settled'`);
    await consumer().apply(series('A', 't', 1));
    expect(await database.imaging.query('select state, version from imaging.study')).toEqual([{ state: 'open', version: 2 }]);
  });

  it('records where the bytes are and what they are', async () => {
    const object = part10();
    await consumer().apply([instanceReceived(receipt({ receiptId: '0190aaaa-0000-7000-8000-000000000009' }, object), { key: 'a/1@3', offset: 4160 })]);
    expect(await database.imaging.query('select tier, object_key, offset_bytes, length_bytes, state from imaging.copy')).toEqual([
      { tier: 'landing', object_key: 'a/1@3', offset_bytes: 4160, length_bytes: object.bytes.length, state: 'written' },
    ]);
    expect(await database.imaging.query(`select id, encode(dataset_sha256, 'hex') as sha from imaging.instance`)).toEqual([
      { id: '0190aaaa-0000-7000-8000-000000000009', sha: object.datasetSha256 },
    ]);
  });
});
