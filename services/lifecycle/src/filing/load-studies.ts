// Loads what is to be filed of some studies: three statements for all of them. Receipts are made from the catalogue's rows, so that the
// packs say exactly what the catalogue says, and a rebuild gives it back. Attributes stay the text that the database writes.
import { LANDING_TIER, type FrameIndex, type Receipt, type ReceiptSource } from '@perennia/contracts';
import type { ImagingDatabase } from '@perennia/persistence';
import type { PackedReceipt } from '@perennia/storage';
import type { FilingRecord, FilingStudy } from './filing-record.js';

/** A larger study is filed in several goes. */
export const MAX_RECORDS = 5000;

export interface StudyKey {
  bucket: number;
  id: string;
}
interface StudyRow extends StudyKey {
  tenant_id: string;
  study_instance_uid: string;
  version: number;
  patient_identifier: string | null;
  issuer: string | null;
  patient_name: string | null;
  patient_birth_date: string | null;
  patient_sex: string | null;
  study_date: string | null;
  study_time: string | null;
  accession_number: string | null;
  study_id: string | null;
  study_description: string | null;
  referring_physician: string | null;
  attributes: string;
}
interface SeriesRow {
  id: string;
  series_instance_uid: string;
  modality: string | null;
  series_number: number | null;
  series_description: string | null;
  body_part_examined: string | null;
  performed_date: string | null;
  performed_time: string | null;
  attributes: string;
}
interface RecordRow {
  bucket: number;
  id: string;
  study_id: string;
  series_id: string;
  sop_instance_uid: string;
  sop_class_uid: string;
  transfer_syntax_uid: string;
  instance_number: number | null;
  number_of_frames: number;
  rows: number | null;
  columns: number | null;
  bits_allocated: number | null;
  object_length: number;
  dataset_offset: number;
  header_length: number;
  frame_index: FrameIndex;
  dataset_sha256: string;
  version: number;
  attributes: string;
  source: ReceiptSource;
  received_at: Date;
  object_key: string;
  offset_bytes: number;
  traceparent: string | null;
}

const WANTED = `unnest($1::smallint[], $2::uuid[]) as wanted (bucket, id)`;

const STUDIES = `
select s.bucket, s.id, tenant_id, study_instance_uid, version, patient_identifier, issuer, patient_name, patient_birth_date, patient_sex, study_date,
  study_time, accession_number, study_id, study_description, referring_physician, attributes::text
from ${WANTED} join imaging.study s on s.bucket = wanted.bucket and s.id = wanted.id`;

const SERIES = `
select s.id, series_instance_uid, modality, series_number, series_description, body_part_examined, performed_date, performed_time, attributes::text
from ${WANTED} join imaging.series s on s.study_id = wanted.id and s.bucket = wanted.bucket`;

// A later version after the one it supersedes, so that the order of packs tells which is which. Lateral: by key in any case, see joinByKey.
export const RECORDS = `
select i.bucket, i.id, i.study_id, i.series_id, i.sop_instance_uid, i.sop_class_uid, i.transfer_syntax_uid, i.instance_number, i.number_of_frames,
  i.rows, i.columns, i.bits_allocated, i.object_length, i.dataset_offset, i.header_length, i.frame_index, encode(i.dataset_sha256, 'hex') as dataset_sha256,
  i.version, i.attributes::text, i.source, i.received_at, c.object_key, c.offset_bytes, i.ext->>'traceparent' as traceparent
from ${WANTED}
cross join lateral (select * from imaging.instance i where i.bucket = wanted.bucket and i.study_id = wanted.id offset 0) i
cross join lateral (select * from imaging.copy c where c.bucket = i.bucket and c.instance_id = i.id and c.copy_number = 1 limit 1) c
where c.tier = '${LANDING_TIER}' and c.state = 'written'
order by i.study_id, i.version, i.series_id, i.instance_number, i.id limit ${MAX_RECORDS}`;

export async function loadStudies(imaging: ImagingDatabase, keys: readonly StudyKey[]): Promise<FilingStudy[]> {
  const wanted = [keys.map(({ bucket }) => bucket), keys.map(({ id }) => id)];
  // The studies first: a version read before the records cannot belong to records that were not seen.
  const studies = await imaging.query<StudyRow>(STUDIES, wanted);
  const [series, records] = await Promise.all([imaging.query<SeriesRow>(SERIES, wanted), imaging.query<RecordRow>(RECORDS, wanted)]);
  const seriesById = new Map(series.map((row) => [row.id, row]));
  const recordsByStudy = Map.groupBy(records, ({ study_id }) => study_id);
  const cut = records.length === MAX_RECORDS;
  // Where the limit cut, studies from the last one on may have more.
  const lastComplete = cut ? records.at(-1)!.study_id : null;
  return studies.map((study) => ({
    tenantId: study.tenant_id, bucket: study.bucket, studyInstanceUid: study.study_instance_uid, row: { id: study.id, version: study.version },
    records: (recordsByStudy.get(study.id) ?? []).map((record) => filingRecord(study, seriesById.get(record.series_id)!, record)).toSorted(byVersionAndNumber),
    complete: lastComplete === null || study.id < lastComplete,
  }));
}

function byVersionAndNumber(a: FilingRecord, b: FilingRecord): number {
  const [one, other] = [a.receipt.head, b.receipt.head];
  return (
    Number(one.onConflict === 'supersede') - Number(other.onConflict === 'supersede') ||
    (one.search.seriesNumber ?? 0) - (other.search.seriesNumber ?? 0)
  );
}

function filingRecord(study: StudyRow, series: SeriesRow, record: RecordRow): FilingRecord {
  return {
    kind: 'instance', bucket: record.bucket, id: record.id, receipt: receiptOf(study, series, record),
    place: { tier: LANDING_TIER, key: record.object_key, offset: record.offset_bytes, length: record.object_length },
    ...(record.traceparent !== null && { traceparent: record.traceparent }),
  };
}

function receiptOf(study: StudyRow, series: SeriesRow, record: RecordRow): PackedReceipt {
  return {
    head: {
      receiptId: record.id, tenantId: study.tenant_id, bucket: record.bucket, receivedAt: record.received_at.toISOString(),
      studyInstanceUid: study.study_instance_uid, seriesInstanceUid: series.series_instance_uid, sopInstanceUid: record.sop_instance_uid,
      sopClassUid: record.sop_class_uid, transferSyntaxUid: record.transfer_syntax_uid, datasetSha256: record.dataset_sha256,
      objectLength: record.object_length, datasetOffset: record.dataset_offset, headerLength: record.header_length,
      numberOfFrames: record.number_of_frames, frameIndex: record.frame_index,
      search: searchOf(study, series, record), source: record.source,
      // A rebuild has to take the same decision again.
      onConflict: record.version > 1 ? 'supersede' : 'keep-first',
    },
    attributes: { study: study.attributes, series: series.attributes, instance: record.attributes },
  };
}

function searchOf(study: StudyRow, series: SeriesRow, record: RecordRow): Receipt['search'] {
  return {
    patientId: study.patient_identifier, issuer: study.issuer, patientName: study.patient_name, birthDate: study.patient_birth_date,
    sex: study.patient_sex, studyDate: study.study_date, studyTime: study.study_time, accessionNumber: study.accession_number,
    referringPhysicianName: study.referring_physician, studyId: study.study_id, studyDescription: study.study_description,
    modality: series.modality, seriesNumber: series.series_number, seriesDescription: series.series_description,
    bodyPartExamined: series.body_part_examined, performedStepStartDate: series.performed_date, performedStepStartTime: series.performed_time,
    instanceNumber: record.instance_number, rows: record.rows, columns: record.columns, bitsAllocated: record.bits_allocated,
  };
}
