// One filter as an SQL predicate (visitor by kind of column). Each form is the one an index of the catalogue answers.
import { searchName } from '@perennia/dicom-data';
import type { Match } from '@perennia/dicom-web';
import { ALIAS } from './search-level.js';
import type { Filter } from './search-plan.js';
import type { ColumnKind } from './searchable-attributes.js';
import { likePattern, type SqlText } from './sql-text.js';

type Values = Extract<Match, { kind: 'values' }>;
type Visit = (column: string, match: Values, sql: SqlText, path: readonly string[]) => string;

export function filterToSql(filter: Filter, sql: SqlText): string {
  if (filter.kind === 'span') {
    const moment = `(${ALIAS[filter.date.level]}.${filter.date.column} || coalesce(${ALIAS[filter.time.level]}.${filter.time.column}, '000000.000000'))`;
    const date = `${ALIAS[filter.date.level]}.${filter.date.column}`;
    // The bounds on the date alone are for the index.
    return [
      `${date} > ''`,
      ...(filter.from ? [`${date} >= ${sql.bind(filter.from.slice(0, 8))}`, `${moment} >= ${sql.bind(filter.from)}`] : []),
      ...(filter.to ? [`${date} <= ${sql.bind(filter.to.slice(0, 8))}`, `${moment} <= ${sql.bind(filter.to)}`] : []),
    ].join(' and ');
  }
  const { attribute, match, path } = filter;
  const column = `${ALIAS[attribute.level]}.${attribute.column}`;
  if (match.kind === 'universal') return 'true';
  if (match.kind === 'range') return rangeToSql(column, match, sql);
  return VISITORS[attribute.kind](column, match, sql, path);
}

/** An absent value, null or '', lies in no range. */
function rangeToSql(column: string, { from, to }: Extract<Match, { kind: 'range' }>, sql: SqlText): string {
  const bounds = [from === undefined ? `${column} > ''` : `${column} >= ${sql.bind(from)}`, ...(to === undefined ? [] : [`${column} <= ${sql.bind(to)}`])];
  const overMidnight = from !== undefined && to !== undefined && from > to && from.length === 13;
  return `(${bounds.join(overMidnight ? ' or ' : ' and ')})`;
}

/** Lists bind as one array, so that a long list is one parameter and one plan. */
const text: Visit = (column, { values, wildcards }, sql) => {
  if (wildcards) return `(${values.map((value) => `${column} like ${sql.bind(likePattern(value, true))}`).join(' or ')})`;
  return values.length === 1 ? `${column} = ${sql.bind(values[0])}` : `${column} = any(${sql.bind(values, 'text[]')})`;
};

/**
 * A name matches when one of its groups does (PS3.4 §C.2.2.2.1: alphabetic, ideographic, phonetic). Each arm has an index:
 * study_name for the first group, study_name_ideographic and study_name_phonetic for the few names that have others.
 */
const name: Visit = (column, { values, wildcards }, sql) => {
  const arms = values.flatMap((value) => {
    const form = searchName(value);
    if (form === null) return [];
    const pattern = sql.bind(likePattern(form, wildcards));
    if (form.includes('=')) return [`${column} like ${pattern}`];
    // A pattern open at its end begins the whole name too, and only so can a plain index serve it.
    const start = sql.bind(`${likePattern(form, wildcards).replace(/%$/, '')}%`);
    return [
      `(${column} like ${start} and split_part(${column}, '=', 1) like ${pattern})`,
      `(${column} like '%=%' and split_part(${column}, '=', 2) like ${pattern})`,
      `(${column} like '%=%' and split_part(${column}, '=', 3) like ${pattern})`,
    ];
  });
  return arms.length === 0 ? 'false' : `(${arms.join(' or ')})`;
};

const integer: Visit = (column, { values }, sql) => `${column} = any(${sql.bind(values.map(Number), 'bigint[]')})`;

const array: Visit = (column, { values, wildcards }, sql) => {
  const plain = values.filter((value) => !wildcards || !/[*?]/.test(value));
  const open = values.filter((value) => !plain.includes(value));
  const arms = plain.length > 0 ? [`${column} && ${sql.bind(plain, 'text[]')}`] : [];
  for (const value of open) arms.push(`exists (select 1 from unnest(${column}) as element where element like ${sql.bind(likePattern(value, true))})`);
  return `(${arms.join(' or ')})`;
};

/** An element of the kept DICOM JSON, or one inside the items of a kept sequence. */
const kept: Visit = (column, { values, wildcards }, sql, path) => {
  const patterns = sql.bind(values.map((value) => likePattern(value, wildcards)), 'text[]');
  const items = path.length === 1 ? '' : `jsonb_array_elements(${column} -> '${path[0]}' -> 'Value') as item, `;
  const holder = path.length === 1 ? column : 'item';
  return `exists (select 1 from ${items}jsonb_array_elements_text(${holder} -> '${path.at(-1)}' -> 'Value') as element where element like any(${patterns}))`;
};

const VISITORS: Readonly<Record<ColumnKind, Visit>> = { text, name, 'date-time': text, integer, array, kept };
