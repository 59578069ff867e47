// The order of results, total and stable, so that pages neither repeat nor miss a row while studies arrive.
import { ALIAS, type SearchLevel } from './search-level.js';
import type { SearchScope } from './search-plan.js';

export interface OrderKey {
  /** For ORDER BY. */
  sql: string;
  /** For comparing with a cursor: equal order, never null. */
  comparable: string;
  kind: 'text' | 'uuid' | 'integer';
}
export interface SearchOrder {
  direction: 'asc' | 'desc';
  keys: readonly OrderKey[];
}

const { study: s, series: se, instance: i } = ALIAS;
const uuid = (sql: string): OrderKey => ({ sql, comparable: sql, kind: 'uuid' });
/** Absent numbers come last; no DICOM integer reaches the number that stands for them. */
const number = (sql: string): OrderKey => ({ sql, comparable: `coalesce(${sql}::bigint, 2147483648)`, kind: 'integer' });
const sortDate: OrderKey = { sql: `${s}.sort_date`, comparable: `${s}.sort_date`, kind: 'text' };

/** Newest study first; inside one study the order in which series and instances are numbered. Each is the order of an index. */
export function searchOrder(level: SearchLevel, scope: SearchScope): SearchOrder {
  if (level === 'study' || scope.studyInstanceUid === undefined) {
    const ids = { study: [`${s}.id`], series: [`${se}.study_id`, `${se}.id`], instance: [`${i}.study_id`, `${i}.series_id`, `${i}.id`] }[level];
    return { direction: 'desc', keys: [sortDate, ...ids.map(uuid)] };
  }
  if (level === 'series') return { direction: 'asc', keys: [number(`${se}.series_number`), uuid(`${se}.id`)] };
  const within = [number(`${i}.instance_number`), uuid(`${i}.id`)];
  return { direction: 'asc', keys: scope.seriesInstanceUid === undefined ? [uuid(`${i}.series_id`), ...within] : within };
}
