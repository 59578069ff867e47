// Studies of a batch: new rows, or counts and empty values added to those that are there.
import type { DicomJsonDataset } from '@perennia/contracts';
import type { SqlRunner } from '@perennia/persistence';
import { filledAttributes, firstOf, unionOf } from './merge-expressions.js';

export interface StudyRow {
  bucket: number;
  id: string;
  tenant_id: string;
  study_instance_uid: string;
  patient_id: string;
  patient_version: number;
  patient_identifier: string | null;
  issuer: string | null;
  /** The columns that searches use, as first received. */
  searched: {
    patient_name: string | null;
    patient_birth_date: string | null;
    patient_sex: string | null;
    study_date: string | null;
    study_time: string | null;
    accession_number: string | null;
    study_id: string | null;
    study_description: string | null;
    referring_physician: string | null;
  };
  modalities: string[];
  sop_classes: string[];
  /** What the batch adds. */
  number_of_instances: number;
  total_bytes: number;
  attributes: DicomJsonDataset;
  state: 'open' | 'settled';
  last_received_at: string;
}

/** A study as it stands after the change: what study.changed tells. */
export interface ChangedStudy {
  id: string;
  tenant_id: string;
  bucket: number;
  study_instance_uid: string;
  version: number;
  number_of_series: number;
  number_of_instances: number;
}

const SEARCHED = ['patient_name', 'patient_birth_date', 'patient_sex', 'study_time', 'accession_number', 'study_id', 'study_description', 'referring_physician'];

// A patient's four columns belong together: a study that came without Patient ID is given the first one that arrives.
const PATIENT = ['patient_id', 'patient_version', 'patient_identifier', 'issuer'];
const patientOf = (column: string): string =>
  `${column} = case when s.patient_identifier is null and excluded.patient_identifier is not null then excluded.${column} else s.${column} end`;

export const CHANGED_STUDY = 's.id, s.tenant_id, s.bucket, s.study_instance_uid, s.version, s.number_of_series, s.number_of_instances';

export const UPSERT_STUDIES = `
insert into imaging.study as s
  (bucket, id, tenant_id, study_instance_uid, ${PATIENT.join(', ')}, ${SEARCHED.join(', ')}, study_date, sort_date,
   modalities, sop_classes, number_of_series, number_of_instances, total_bytes, attributes, state, last_received_at)
select bucket, id, tenant_id, study_instance_uid, ${PATIENT.join(', ')}, ${SEARCHED.map((column) => `searched.${column}`).join(', ')}, searched.study_date, coalesce(searched.study_date, ''),
   modalities, sop_classes, number_of_series, number_of_instances, total_bytes, attributes, state, last_received_at
from json_to_recordset($1::json) as r (
  bucket smallint, id uuid, tenant_id text, study_instance_uid text, patient_id uuid, patient_version int, patient_identifier text, issuer text,
  searched json, modalities text[], sop_classes text[], number_of_series int, number_of_instances int, total_bytes bigint, attributes jsonb,
  state text, last_received_at timestamptz),
  json_to_record(r.searched) as searched (${SEARCHED.map((column) => `${column} text`).join(', ')}, study_date text)
on conflict (bucket, id) do update set
  ${PATIENT.map(patientOf).join(',\n  ')},
  ${SEARCHED.map(firstOf).join(',\n  ')},
  ${firstOf('study_date')},
  sort_date = coalesce(s.study_date, excluded.study_date, ''),
  ${unionOf('modalities')},
  ${unionOf('sop_classes')},
  number_of_series = s.number_of_series + excluded.number_of_series,
  number_of_instances = s.number_of_instances + excluded.number_of_instances,
  total_bytes = s.total_bytes + excluded.total_bytes,
  ${filledAttributes},
  state = case when excluded.state = 'open' then 'open' else s.state end,
  last_received_at = greatest(s.last_received_at, excluded.last_received_at),
  version = s.version + 1
returning ${CHANGED_STUDY}`;

/** @param newSeries how many series of each study are new, by study id */
export function upsertStudies(sql: SqlRunner, rows: readonly StudyRow[], newSeries: ReadonlyMap<string, number>): Promise<ChangedStudy[]> {
  return sql.prepared<ChangedStudy>(UPSERT_STUDIES, [JSON.stringify(rows.map((row) => ({ ...row, number_of_series: newSeries.get(row.id) ?? 0 })))]);
}
