// Makes the newest version of an instance the one that is found and counted. Rare, so the counts are simply taken anew.
import type { SqlRunner } from '@perennia/persistence';
import type { Decisions } from '../decide-roles.js';
import { CHANGED_STUDY, type ChangedStudy } from './upsert-studies.js';

const RETIRE = `
update imaging.instance i set state = 'superseded'
from json_to_recordset($1::json) as r (bucket smallint, id uuid) where i.bucket = r.bucket and i.id = r.id`;

const POINT = `
update imaging.sop_directory d set instance_id = r.instance_id
from json_to_recordset($1::json) as r (tenant_id text, sop_instance_uid text, instance_id uuid)
where d.sop_instance_uid = r.sop_instance_uid and d.tenant_id = r.tenant_id`;

const RECOUNT_SERIES = `
update imaging.series s set number_of_instances = found.instances, total_bytes = found.bytes
from (select s.bucket, s.id, count(i.id) as instances, coalesce(sum(i.object_length), 0) as bytes
      from imaging.series s left join imaging.instance i on i.bucket = s.bucket and i.study_id = s.study_id and i.series_id = s.id and i.state = 'current'
      where s.study_id = any($1::uuid[]) group by s.bucket, s.id) as found
where s.bucket = found.bucket and s.id = found.id and (s.number_of_instances, s.total_bytes) is distinct from (found.instances, found.bytes)`;

const RECOUNT_STUDIES = `
update imaging.study s set number_of_instances = found.instances, total_bytes = found.bytes
from (select bucket, study_id, sum(number_of_instances) as instances, sum(total_bytes) as bytes
      from imaging.series where study_id = any($1::uuid[]) group by bucket, study_id) as found
where s.bucket = found.bucket and s.id = found.study_id
returning ${CHANGED_STUDY}`;

/** After the new versions were inserted. @returns the studies with their counts set right */
export async function supersedeInstances(sql: SqlRunner, decisions: Decisions): Promise<ChangedStudy[]> {
  const next = decisions.instances.filter(({ role, state }) => role === 'supersede' && state === 'current');
  if (next.length === 0) return [];
  await sql.query(RETIRE, [JSON.stringify(decisions.superseded)]);
  await sql.query(POINT, [JSON.stringify(next.map(({ incoming: { receipt } }) => (
    { tenant_id: receipt.tenantId, sop_instance_uid: receipt.sopInstanceUid, instance_id: receipt.receiptId })))]);
  const studies = [[...new Set(next.map(({ incoming }) => incoming.studyId))]];
  await sql.query(RECOUNT_SERIES, studies);
  return sql.query<ChangedStudy>(RECOUNT_STUDIES, studies);
}
