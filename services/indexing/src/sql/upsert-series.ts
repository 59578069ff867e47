// Series of a batch: new rows, or counts and empty values added to those that are there. Done before the studies, which count them.
import type { DicomJsonDataset } from '@perennia/contracts';
import type { SqlRunner } from '@perennia/persistence';
import { filledAttributes, firstOf, unionOf } from './merge-expressions.js';

export interface SeriesRow {
  bucket: number;
  id: string;
  study_id: string;
  tenant_id: string;
  series_instance_uid: string;
  /** The columns that searches use, as first received. */
  searched: {
    modality: string | null;
    series_number: number | null;
    series_description: string | null;
    body_part_examined: string | null;
    performed_date: string | null;
    performed_time: string | null;
  };
  /** What the batch adds. */
  number_of_instances: number;
  total_bytes: number;
  transfer_syntaxes: string[];
  attributes: DicomJsonDataset;
}

const SEARCHED = ['modality', 'series_number', 'series_description', 'body_part_examined', 'performed_date', 'performed_time'];

// A row that this statement inserted has no xmax; one that it updated carries the lock of this transaction.
export const UPSERT_SERIES = `
insert into imaging.series as s
  (bucket, id, study_id, tenant_id, series_instance_uid, ${SEARCHED.join(', ')}, number_of_instances, total_bytes, transfer_syntaxes, attributes)
select bucket, id, study_id, tenant_id, series_instance_uid, ${SEARCHED.map((column) => `searched.${column}`).join(', ')}, number_of_instances, total_bytes, transfer_syntaxes, attributes
from json_to_recordset($1::json) as r (
  bucket smallint, id uuid, study_id uuid, tenant_id text, series_instance_uid text, searched json,
  number_of_instances int, total_bytes bigint, transfer_syntaxes text[], attributes jsonb),
  json_to_record(r.searched) as searched (
    modality text, series_number int, series_description text, body_part_examined text, performed_date text, performed_time text)
on conflict (bucket, id) do update set
  ${SEARCHED.map(firstOf).join(',\n  ')},
  number_of_instances = s.number_of_instances + excluded.number_of_instances,
  total_bytes = s.total_bytes + excluded.total_bytes,
  ${unionOf('transfer_syntaxes')},
  ${filledAttributes},
  version = s.version + 1
returning s.study_id, (s.xmax = 0) as inserted`;

/** @returns how many series are new, by study id */
export async function upsertSeries(sql: SqlRunner, rows: readonly SeriesRow[]): Promise<Map<string, number>> {
  const returned = await sql.prepared<{ study_id: string; inserted: boolean }>(UPSERT_SERIES, [JSON.stringify(rows)]);
  const fresh = new Map<string, number>();
  for (const { study_id, inserted } of returned) if (inserted) fresh.set(study_id, (fresh.get(study_id) ?? 0) + 1);
  return fresh;
}
