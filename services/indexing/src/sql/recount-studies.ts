// Takes counts and sizes of studies anew from their current instances, where adding up will not do.
import type { SqlRunner } from '@perennia/persistence';
import { CHANGED_STUDY, type ChangedStudy } from './upsert-studies.js';

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

/** @returns the studies with their counts set right */
export async function recountStudies(sql: SqlRunner, studyIds: readonly string[]): Promise<ChangedStudy[]> {
  await sql.query(RECOUNT_SERIES, [studyIds]);
  return sql.query<ChangedStudy>(RECOUNT_STUDIES, [studyIds]);
}
