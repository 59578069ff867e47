// A search plan as one statement: first the page's keys alone (from indexes as far as possible), then the documents of the
// rows on that page. So a deep page skips index entries, not documents: measured 3 times faster at offset 9,000.
import { documentSql } from './document-sql.js';
import { filterToSql } from './filter-to-sql.js';
import { decodeCursor } from './keyset-cursor.js';
import { scopeOf, type BoundScope } from './bound-scope.js';
import { ALIAS, levelsDownTo, type SearchLevel } from './search-level.js';
import { searchOrder, type SearchOrder } from './search-order.js';
import type { SearchPlan } from './search-plan.js';
import { SqlText } from './sql-text.js';

export interface SearchStatement {
  text: string;
  parameters: readonly unknown[];
  /** How many columns `k0`, `k1` … with the keys of the row follow `document`. */
  keyCount: number;
}

const { study: s, series: se, instance: i } = ALIAS;
const TABLES: Readonly<Record<SearchLevel, string>> = { study: `imaging.study ${s}`, series: `imaging.series ${se}`, instance: `imaging.instance ${i}` };
/** Ids that each table holds, named as in the page. */
const IDS: Readonly<Record<SearchLevel, Readonly<Partial<Record<SearchLevel, string>>>>> = {
  study: { study: `${s}.id` },
  series: { study: `${se}.study_id`, series: `${se}.id` },
  instance: { study: `${i}.study_id`, series: `${i}.series_id`, instance: `${i}.id` },
};

/** @param baseUrl of the service, for RetrieveURL; null: the keys of the page without documents */
export function planToSql(plan: SearchPlan, baseUrl: string | null): SearchStatement {
  const sql = new SqlText();
  const tenant = sql.bind(plan.tenantId);
  const scope = scopeOf(plan, tenant, sql);
  const order = searchOrder(plan.level, plan.scope);
  const page = pageSql(plan, scope, tenant, order, sql);
  const keyCount = order.keys.length;
  if (baseUrl === null) return { text: page, parameters: sql.parameters, keyCount };
  const keys = order.keys.map((_, index) => `page.k${index}`);
  const document = documentSql(plan, scope, sql, baseUrl);
  const rows = document.levels.map((level) => `join ${TABLES[level]} on ${ALIAS[level]}.bucket = ${scope.bucket ?? `page.${level}_bucket`} and ${ALIAS[level]}.id = page.${level}_id`);
  const text =
    `with page as materialized (${page}) select ${document.text} as document, ${keys.join(', ')} ` +
    `from page ${rows.join(' ')} order by ${keys.map((key) => `${key} ${order.direction}`).join(', ')}`;
  return { text, parameters: sql.parameters, keyCount };
}

function pageSql(plan: SearchPlan, scope: BoundScope, tenant: string, order: SearchOrder, sql: SqlText): string {
  const { level } = plan;
  const tables = neededTables(plan, scope);
  const where = [
    ...tables.map((each) => `${ALIAS[each]}.tenant_id = ${tenant}`),
    ...(tables.includes('study') ? [`${s}.state <> 'tombstoned'`] : []),
    ...(level === 'instance' ? [`${i}.state = 'current'`] : []),
    ...scope.predicates(tables),
    ...plan.filters.map((filter) => filterToSql(filter, sql)),
    ...directoryPredicates(plan, scope, tenant, sql),
    ...cursorPredicates(plan, order, sql),
  ];
  // Each table gets a bucket column of its own: told that they are equal, the planner joins studies by bucket alone.
  const ids = Object.entries(IDS[level]).map(([each, id]) => `${ALIAS[level]}.bucket as ${each}_bucket, ${id} as ${each}_id`);
  const keys = order.keys.map((key, index) => `${key.comparable} as k${index}`);
  const by = order.keys.map((key) => `${key.sql} ${order.direction}`).join(', ');
  const skip = plan.offset > 0 ? ` offset ${sql.bind(plan.offset)}` : '';
  return `select ${[...ids, ...keys].join(', ')} from ${joined(level, tables)} where ${where.join(' and ')} order by ${by} limit ${sql.bind(plan.limit + 1)}${skip}`;
}

/** Where the study is named, it is looked up once by key, and joined only if something asks for its columns. */
function neededTables({ level, filters }: SearchPlan, scope: BoundScope): SearchLevel[] {
  if (scope.bucket === undefined) return [...levelsDownTo(level)];
  const asked = new Set(filters.flatMap((filter) => (filter.kind === 'match' ? [filter.attribute.level] : [filter.date.level, filter.time.level])));
  return levelsDownTo(level).filter((each) => each === level || asked.has(each));
}

function joined(level: SearchLevel, tables: readonly SearchLevel[]): string {
  const joins = { study: '', series: '', instance: '' };
  if (tables.includes('series')) joins.series = ` join ${TABLES.series} on ${se}.bucket = ${i}.bucket and ${se}.id = ${i}.series_id`;
  // "+ 0" for the same reason as the bucket columns of the page.
  if (tables.includes('study')) joins.study = ` join ${TABLES.study} on ${s}.bucket = ${ALIAS[level]}.bucket + 0 and ${s}.id = ${ALIAS[level]}.study_id`;
  return TABLES[level] + (level === 'instance' ? joins.series : '') + (level === 'study' ? '' : joins.study);
}

/** Instances have no index on their UID across buckets: the directory knows where each is. */
function directoryPredicates({ level, filters }: SearchPlan, scope: BoundScope, tenant: string, sql: SqlText): string[] {
  if (level !== 'instance' || scope.bucket !== undefined) return [];
  return filters.flatMap((filter) => {
    if (filter.kind !== 'match' || filter.attribute.column !== 'sop_instance_uid' || filter.match.kind !== 'values') return [];
    const uids = sql.bind(filter.match.values, 'text[]');
    return [`(${i}.bucket, ${i}.id) in (select bucket, instance_id from imaging.sop_directory where tenant_id = ${tenant} and sop_instance_uid = any(${uids}))`];
  });
}

function cursorPredicates(plan: SearchPlan, order: SearchOrder, sql: SqlText): string[] {
  const keys = decodeCursor(plan, order.keys.map((key) => key.kind));
  if (!keys) return [];
  const types = { text: 'text', uuid: 'uuid', integer: 'bigint' };
  const row = order.keys.map((key) => key.comparable).join(', ');
  const bound = keys.map((key, index) => sql.bind(key, types[order.keys[index]!.kind])).join(', ');
  return [`(${row}) ${order.direction === 'desc' ? '<' : '>'} (${bound})`];
}
