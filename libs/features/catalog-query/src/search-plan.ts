// What to search, decided once and independent of SQL: level, scope, filters by column, what to return, which page.
import { DicomWebError, type CombinedCondition, type Condition, type Match, type QidoParameters } from '@perennia/dicom-web';
import { levelsDownTo, type SearchLevel } from './search-level.js';
import { SEARCHABLE_ATTRIBUTES, type SearchableAttribute } from './searchable-attributes.js';

/** The resource below which is searched. */
export interface SearchScope {
  studyInstanceUid?: string;
  seriesInstanceUid?: string;
}

export type Filter =
  | { kind: 'match'; attribute: SearchableAttribute; path: readonly string[]; match: Match }
  | { kind: 'span'; date: SearchableAttribute; time: SearchableAttribute; from?: string; to?: string };

export interface SearchPlan {
  /** Never absent: the statement is compiled around it. */
  tenantId: string;
  level: SearchLevel;
  scope: SearchScope;
  filters: readonly Filter[];
  /** Tags asked for beside the required ones. */
  returnedTags: readonly string[];
  includeAll: boolean;
  limit: number;
  /** The answer was cut to the largest page although more was asked for. */
  limitReduced: boolean;
  offset: number;
  cursor?: string;
  warnings: readonly string[];
  /** Paths of conditions that no column answers at this level; what they say was ignored. */
  unmatched: readonly string[];
}

export interface SearchLimits {
  defaultLimit: number;
  maxLimit: number;
  maxOffset: number;
}
export const DEFAULT_SEARCH_LIMITS: SearchLimits = { defaultLimit: 1000, maxLimit: 25_000, maxOffset: 10_000 };

interface SearchRequest {
  tenantId: string;
  level: SearchLevel;
  scope: SearchScope;
  parameters: QidoParameters;
}

/** @throws DicomWebError when the page lies beyond what offset may reach */
export function planSearch(request: SearchRequest, limits: SearchLimits = DEFAULT_SEARCH_LIMITS): SearchPlan {
  const { tenantId, level, scope, parameters } = request;
  if (parameters.offset > limits.maxOffset) {
    throw new DicomWebError('limit', `offset reaches to ${limits.maxOffset} only; follow the Link header with rel="next" for the pages after it`);
  }
  const { filters, unsupported } = planFilters(level, parameters.conditions, parameters.combined);
  const asked = parameters.limit ?? limits.defaultLimit;
  const warnings = [...parameters.warnings];
  if (unsupported.length > 0) warnings.push(`These attributes cannot be matched at this level and were ignored: ${unsupported.join(' ')}`);
  return {
    tenantId,
    level,
    scope,
    filters,
    returnedTags: [...new Set(parameters.returned.map((path) => path[0]!))],
    includeAll: parameters.includeAll,
    limit: Math.min(asked, limits.maxLimit),
    limitReduced: asked > limits.maxLimit || parameters.limit === undefined,
    offset: parameters.offset,
    warnings,
    unmatched: unsupported,
    ...(parameters.cursor === undefined ? {} : { cursor: parameters.cursor }),
  };
}

/** Conditions as filters, and the paths of those that no column answers. */
export function planFilters(level: SearchLevel, conditions: readonly Condition[], combined: readonly CombinedCondition[]): { filters: Filter[]; unsupported: string[] } {
  const reachable = levelsDownTo(level);
  const filters: Filter[] = [];
  const unsupported: string[] = [];
  const find = (path: readonly string[]): SearchableAttribute | undefined => {
    const attribute = SEARCHABLE_ATTRIBUTES.get(path.join('.'));
    return attribute && reachable.includes(attribute.level) ? attribute : undefined;
  };
  for (const { path, match } of conditions) {
    const attribute = find(path);
    if (attribute) filters.push({ kind: 'match', attribute, path, match });
    else unsupported.push(path.join('.'));
  }
  for (const { datePath, timePath, from, to } of combined) {
    const [date, time] = [find(datePath), find(timePath)];
    if (date && time) filters.push({ kind: 'span', date, time, ...(from ? { from } : {}), ...(to ? { to } : {}) });
    else unsupported.push(datePath.join('.'), timePath.join('.'));
  }
  return { filters, unsupported };
}
