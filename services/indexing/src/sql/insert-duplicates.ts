// Receipts whose SOP Instance UID was known: kept with all that is known of them until their bytes are disposed of or filed.
import { LANDING_TIER } from '@perennia/contracts';
import type { SqlRunner } from '@perennia/persistence';
import type { DuplicateReceipt } from '../decide-roles.js';
import { wholeReceipt } from '../incoming-receipt.js';
import { CHANGED_STUDY, type ChangedStudy } from './upsert-studies.js';

const INSERT_DUPLICATES = `
insert into imaging.duplicate
  (bucket, id, tenant_id, study_instance_uid, series_instance_uid, sop_instance_uid, instance_id, instance_bucket, kind, state, dataset_sha256, receipt,
   tier, object_key, offset_bytes, length_bytes, received_at)
select (receipt->>'bucket')::smallint, (receipt->>'receiptId')::uuid, receipt->>'tenantId', receipt->>'studyInstanceUid', receipt->>'seriesInstanceUid',
  receipt->>'sopInstanceUid', instance_id, instance_bucket, kind,
  case receipt->'place'->>'tier' when '${LANDING_TIER}' then 'pending' else 'filed' end, decode(receipt->>'datasetSha256', 'hex'), receipt,
  receipt->'place'->>'tier', receipt->'place'->>'key', (receipt->'place'->>'offset')::bigint, (receipt->'place'->>'length')::bigint, (receipt->>'receivedAt')::timestamptz
from json_to_recordset($1::json) as r (receipt jsonb, kind text, instance_id uuid, instance_bucket smallint)
on conflict do nothing`;

/** The studies of the kept instances have something new to tell: another object claims to be one of theirs. */
const TOUCH_STUDIES = `
update imaging.study s set version = s.version + 1
from (select distinct i.bucket, i.study_id from json_to_recordset($1::json) as r (instance_id uuid, instance_bucket smallint)
      join imaging.instance i on i.bucket = r.instance_bucket and i.id = r.instance_id) as touched
where s.bucket = touched.bucket and s.id = touched.study_id
returning ${CHANGED_STUDY}`;

/** @returns the studies in which a conflict was found */
export async function insertDuplicates(sql: SqlRunner, duplicates: readonly DuplicateReceipt[]): Promise<ChangedStudy[]> {
  if (duplicates.length === 0) return [];
  const rows = duplicates.map(({ role, incoming, kept }) => ({ receipt: wholeReceipt(incoming.receipt), kind: role, instance_id: kept.id, instance_bucket: kept.bucket }));
  await sql.query(INSERT_DUPLICATES, [JSON.stringify(rows)]);
  const conflicts = rows.filter(({ kind }) => kind === 'conflict');
  return conflicts.length === 0 ? [] : sql.query<ChangedStudy>(TOUCH_STUDIES, [JSON.stringify(conflicts)]);
}
