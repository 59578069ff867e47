// New instances and the copies of their bytes. Nothing can collide here: the directory has decided who comes in.
import type { DicomJsonDataset, FrameIndex, ReceiptSource } from '@perennia/contracts';
import type { SqlRunner } from '@perennia/persistence';

export interface InstanceRow {
  bucket: number;
  id: string;
  study_id: string;
  series_id: string;
  tenant_id: string;
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
  /** `\x` and hex digits. */
  dataset_sha256: string;
  object_sha256: string | null;
  version: number;
  state: 'current' | 'superseded';
  attributes: DicomJsonDataset;
  source: ReceiptSource;
  received_at: string;
  tier: string;
  object_key: string;
  offset_bytes: number;
  length_bytes: number;
}

const COLUMNS =
  'bucket, id, study_id, series_id, tenant_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, instance_number, number_of_frames, rows, columns, ' +
  'bits_allocated, object_length, dataset_offset, header_length, frame_index, dataset_sha256, object_sha256, version, state, attributes, source, received_at';

export const INSERT_INSTANCES = `
with r as materialized (
  select * from json_to_recordset($1::json) as r (
    bucket smallint, id uuid, study_id uuid, series_id uuid, tenant_id text, sop_instance_uid text, sop_class_uid text, transfer_syntax_uid text,
    instance_number int, number_of_frames int, rows int, columns int, bits_allocated int, object_length bigint, dataset_offset int, header_length bigint,
    frame_index jsonb, dataset_sha256 bytea, object_sha256 bytea, version int, state text, attributes jsonb, source jsonb, received_at timestamptz,
    tier text, object_key text, offset_bytes bigint, length_bytes bigint)),
instances as (insert into imaging.instance (${COLUMNS}) select ${COLUMNS} from r)
insert into imaging.copy (bucket, instance_id, tier, object_key, offset_bytes, length_bytes, state)
select bucket, id, tier, object_key, offset_bytes, length_bytes, 'written' from r`;

export async function insertInstances(sql: SqlRunner, rows: readonly InstanceRow[]): Promise<void> {
  await sql.query(INSERT_INSTANCES, [JSON.stringify(rows)]);
}
