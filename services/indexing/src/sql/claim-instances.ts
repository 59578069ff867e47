// The directory of SOP Instance UIDs: the one place that decides which receipt of a UID came first, also across studies.
import { IllegalStateError } from '@perennia/errors';
import { joinByKey, type SqlRunner } from '@perennia/persistence';
import type { CatalogueState, KeptInstance } from '../decide-roles.js';
import { instanceKey, type IncomingInstance } from '../incoming-instance.js';

export const CLAIM = `
insert into imaging.sop_directory (tenant_id, sop_instance_uid, bucket, instance_id)
select * from unnest($1::text[], $2::text[], $3::smallint[], $4::uuid[])
on conflict do nothing returning instance_id`;

// Locked until the commit, in the order of the key: two transactions never give one UID two next versions.
export const LOCK = `
select d.tenant_id, d.sop_instance_uid, d.bucket, d.instance_id
from json_to_recordset($1::json) as r (tenant_id text, sop_instance_uid text)
join imaging.sop_directory d on d.sop_instance_uid = r.sop_instance_uid and d.tenant_id = r.tenant_id
order by d.sop_instance_uid, d.tenant_id for update of d`;

const KEPT = `
select i.id, i.bucket, i.study_id as "studyId", i.version, encode(i.dataset_sha256, 'hex') as "datasetSha256"
from json_to_recordset($1::json) as r (bucket smallint, instance_id uuid)
join imaging.instance i on i.bucket = r.bucket and i.id = r.instance_id`;

const KNOWN = `
with r as materialized (select * from json_to_recordset($1::json) as r (bucket smallint, id uuid))
select i.id from r join imaging.instance i on i.bucket = r.bucket and i.id = r.id
union all
select d.id from r join imaging.duplicate d on d.bucket = r.bucket and d.id = r.id`;

/** Enters what is new into the directory and tells how the catalogue stands to the rest. */
export async function claimInstances(sql: SqlRunner, batch: readonly IncomingInstance[]): Promise<CatalogueState> {
  const firsts = new Map<string, IncomingInstance>();
  for (const incoming of batch) {
    const key = instanceKey(incoming.receipt.tenantId, incoming.receipt.sopInstanceUid);
    if (!firsts.has(key)) firsts.set(key, incoming);
  }
  // Sorted: transactions that wait for each other's keys do so in the same order.
  const rows = [...firsts.keys()].toSorted().map((key) => directoryRow(firsts.get(key)!));
  const inserted = await sql.prepared<{ instance_id: string }>(CLAIM, [
    rows.map((row) => row.tenant_id), rows.map((row) => row.sop_instance_uid), rows.map((row) => row.bucket), rows.map((row) => row.instance_id),
  ]);
  const claimed = new Set(inserted.map(({ instance_id }) => instance_id));
  if (claimed.size === batch.length) return { claimed, kept: new Map(), knownReceipts: new Set() };
  await joinByKey(sql);
  const taken = rows.filter(({ instance_id }) => !claimed.has(instance_id));
  const kept = await keptInstances(sql, taken);
  const unclaimed = batch.filter(({ receipt }) => !claimed.has(receipt.receiptId)).map(({ receipt }) => ({ bucket: receipt.bucket, id: receipt.receiptId }));
  const known = await sql.query<{ id: string }>(KNOWN, [JSON.stringify(unclaimed)]);
  return { claimed, kept, knownReceipts: new Set(known.map(({ id }) => id)) };
}

interface DirectoryRow {
  tenant_id: string;
  sop_instance_uid: string;
  bucket: number;
  instance_id: string;
}

function directoryRow({ receipt }: IncomingInstance): DirectoryRow {
  return { tenant_id: receipt.tenantId, sop_instance_uid: receipt.sopInstanceUid, bucket: receipt.bucket, instance_id: receipt.receiptId };
}

async function keptInstances(sql: SqlRunner, taken: readonly DirectoryRow[]): Promise<Map<string, KeptInstance>> {
  if (taken.length === 0) return new Map();
  const locked = await sql.query<DirectoryRow>(LOCK, [JSON.stringify(taken)]);
  // A statement of its own: its snapshot shows what the transactions we waited for have committed.
  const instances = new Map((await sql.query<KeptInstance>(KEPT, [JSON.stringify(locked)])).map((instance) => [instance.id, instance]));
  return new Map(locked.map((row) => {
    const instance = instances.get(row.instance_id);
    if (!instance) throw new IllegalStateError('The directory names an instance that does not exist.', { details: { instanceId: row.instance_id } });
    return [instanceKey(row.tenant_id, row.sop_instance_uid), instance] as const;
  }));
}
