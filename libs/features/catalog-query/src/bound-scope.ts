// The resource below which is searched, as predicates. A study's UID tells its bucket and id, and so the partition and the
// range of an index, before anything is read.
import { bucketOf, surrogateId } from '@perennia/contracts';
import { ALIAS, type SearchLevel } from './search-level.js';
import type { SearchPlan } from './search-plan.js';
import type { SqlText } from './sql-text.js';

export interface BoundScope {
  /** Placeholder of the study's bucket where the search is in one study. */
  bucket?: string;
  /** Placeholders of the UIDs that the path names. */
  uids: Readonly<Partial<Record<SearchLevel, string>>>;
  /** For the tables of the statement; the study, and the series where named, are checked even when they are none of them. */
  predicates(tables: readonly SearchLevel[]): string[];
}

const UNBOUND: BoundScope = { uids: {}, predicates: () => [] };

export function scopeOf(plan: SearchPlan, tenant: string, sql: SqlText): BoundScope {
  const { tenantId, scope } = plan;
  const study = scope.studyInstanceUid ?? singleStudy(plan);
  if (study === undefined) return UNBOUND;
  const bucket = sql.bind(bucketOf(tenantId, study), 'smallint');
  const id = sql.bind(surrogateId(tenantId, study), 'uuid');
  const uid = sql.bind(study, 'text');
  const seriesUid = scope.seriesInstanceUid === undefined ? undefined : sql.bind(scope.seriesInstanceUid, 'text');
  const studyColumns = `s.bucket = ${bucket} and s.id = ${id} and s.study_instance_uid = ${uid}`;
  const seriesColumns = `se.bucket = ${bucket} and se.study_id = ${id} and se.series_instance_uid = ${seriesUid}`;
  return {
    bucket,
    uids: { study: uid, ...(seriesUid === undefined ? {} : { series: seriesUid }) },
    predicates: (tables) => [
      tables.includes('study') ? studyColumns : `exists (select 1 from imaging.study s where s.tenant_id = ${tenant} and ${studyColumns} and s.state <> 'tombstoned')`,
      ...tables.filter((table) => table !== 'study').map((table) => `${ALIAS[table]}.bucket = ${bucket} and ${ALIAS[table]}.study_id = ${id}`),
      ...(seriesUid === undefined ? [] : [tables.includes('series') ? seriesColumns : `i.series_id = (select se.id from imaging.series se where se.tenant_id = ${tenant} and ${seriesColumns})`]),
    ],
  };
}

/** `/instances?StudyInstanceUID=…` is as narrow as the path with the study in it. */
function singleStudy({ filters }: SearchPlan): string | undefined {
  const filter = filters.find((each) => each.kind === 'match' && each.attribute.column === 'study_instance_uid');
  return filter?.kind === 'match' && filter.match.kind === 'values' && filter.match.values.length === 1 ? filter.match.values[0] : undefined;
}
