// Makes the newest version of an instance the one that is found and counted. Rare, so the counts are simply taken anew.
import type { SqlRunner } from '@perennia/persistence';
import type { Decisions } from '../decide-roles.js';
import { recountStudies } from './recount-studies.js';
import type { ChangedStudy } from './upsert-studies.js';

const RETIRE = `
update imaging.instance i set state = 'superseded'
from json_to_recordset($1::json) as r (bucket smallint, id uuid) where i.bucket = r.bucket and i.id = r.id`;

const POINT = `
update imaging.sop_directory d set instance_id = r.instance_id
from json_to_recordset($1::json) as r (tenant_id text, sop_instance_uid text, instance_id uuid)
where d.sop_instance_uid = r.sop_instance_uid and d.tenant_id = r.tenant_id`;

/** After the new versions were inserted. @returns the studies with their counts set right */
export async function supersedeInstances(sql: SqlRunner, decisions: Decisions): Promise<ChangedStudy[]> {
  const next = decisions.instances.filter(({ role, state }) => role === 'supersede' && state === 'current');
  if (next.length === 0) return [];
  await sql.query(RETIRE, [JSON.stringify(decisions.superseded)]);
  await sql.query(POINT, [JSON.stringify(next.map(({ incoming: { receipt } }) => (
    { tenant_id: receipt.tenantId, sop_instance_uid: receipt.sopInstanceUid, instance_id: receipt.receiptId })))]);
  return recountStudies(sql, [...new Set(next.map(({ incoming }) => incoming.studyId))]);
}
