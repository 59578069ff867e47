// What a C-FIND asks for: the identifier as level, conditions and requested keys (PS3.4 §C.2.2.2, §C.4.1.2, §C.4.1.3).
import type { DicomJsonDataset, DicomJsonElement } from '@perennia/contracts';
import { lookupTag, personNameText, type PersonName } from '@perennia/dicom-data';
import type { QueryExtensions } from '@perennia/dicom-net';
import { combineDateTime, DicomWebError, parseAttributeMatch, type CombinedCondition, type Condition } from '@perennia/dicom-web';
import { LEVEL_TAG, levelOf, levelsOf, mismatch, UNIQUE_KEY, type QueryLevel } from '../query-level.js';

export interface FindQuery {
  level: QueryLevel;
  /** The attributes that answers have, and no others; those of sequences with the attributes wanted of their items. */
  keys: DicomJsonDataset;
  conditions: readonly Condition[];
  combined: readonly CombinedCondition[];
  /** The one study, and the one series of it, that is searched in. */
  scope: { studyInstanceUid?: string; seriesInstanceUid?: string };
  /** First value of Specific Character Set; undefined where the identifier has none. */
  characterSet: string | undefined;
}

export interface FindRules {
  extensions: QueryExtensions;
  /** Whether unique keys of the levels above may be missing although nobody negotiated that. */
  upperKeysOptional: boolean;
}

const CHARACTER_SET = '00080005';
/** About the query and its answer, not about what is looked for: view, time zone, where and whether it can be retrieved. */
const NOT_MATCHED: ReadonlySet<string> = new Set([CHARACTER_SET, LEVEL_TAG, '00080053', '00080054', '00080056', '00080201']);
/** Of the query itself: never in an answer as keys. */
const NOT_RETURNED: ReadonlySet<string> = new Set([CHARACTER_SET, LEVEL_TAG, '00080053']);

/** @throws DimseFailure A900 with the reason in plain words */
export function findQueryOf(sopClassUid: string, identifier: DicomJsonDataset, rules: FindRules): FindQuery {
  const level = levelOf(sopClassUid, identifier);
  const keys = Object.fromEntries(Object.entries(identifier).filter(([tag]) => !NOT_RETURNED.has(tag)));
  const all = Object.entries(keys).filter(([tag]) => !NOT_MATCHED.has(tag)).flatMap(([tag, element]) => conditionsOf(tag, element));
  const above = levelsOf(sopClassUid).slice(0, levelsOf(sopClassUid).indexOf(level));
  if (!rules.extensions.relationalQueries && !rules.upperKeysOptional) requireUpperKeys(level, above, all);
  const scope = scopeOf(above, all);
  const rest = all.filter(({ path }) => !Object.values(scope).length || !isScopeKey(path, scope));
  const { conditions, combined } = rules.extensions.dateTimeMatching ? combineDateTime(rest) : { conditions: rest, combined: [] };
  return { level, keys, conditions, combined, scope, characterSet: firstText(identifier[CHARACTER_SET]) };
}

function conditionsOf(tag: string, element: DicomJsonElement): Condition[] {
  if (element.vr === 'SQ') return Object.entries((element.Value?.[0] ?? {}) as DicomJsonDataset).flatMap(([inner, each]) => conditionOf([tag, inner], each));
  return conditionOf([tag], element);
}

function conditionOf(path: readonly string[], element: DicomJsonElement): Condition[] {
  if (element.vr === 'SQ' || element.Value === undefined) return [];
  const entry = lookupTag(Number.parseInt(path.at(-1)!, 16));
  const vr = entry?.vr ?? element.vr;
  try {
    const match = parseAttributeMatch(entry?.keyword ?? path.join('.'), vr, textOf(element));
    return match.kind === 'universal' ? [] : [{ path, vr, match }];
  } catch (error) {
    if (error instanceof DicomWebError) throw mismatch(error.message);
    throw error;
  }
}

/** Hierarchical search: one value of the unique key of each level above (PS3.4 §C.4.1.2.1). */
function requireUpperKeys(level: QueryLevel, above: readonly QueryLevel[], conditions: readonly Condition[]): void {
  for (const each of above) {
    if (singleValue(UNIQUE_KEY[each], conditions) !== undefined) continue;
    const keyword = lookupTag(Number.parseInt(UNIQUE_KEY[each], 16))!.keyword;
    throw mismatch(`${level} level needs one ${keyword}, or relational queries`);
  }
}

function scopeOf(above: readonly QueryLevel[], conditions: readonly Condition[]): FindQuery['scope'] {
  const studyInstanceUid = above.includes('STUDY') ? singleValue(UNIQUE_KEY.STUDY, conditions) : undefined;
  if (studyInstanceUid === undefined) return {};
  const seriesInstanceUid = above.includes('SERIES') ? singleValue(UNIQUE_KEY.SERIES, conditions) : undefined;
  return { studyInstanceUid, ...(seriesInstanceUid === undefined ? {} : { seriesInstanceUid }) };
}

function isScopeKey(path: readonly string[], { studyInstanceUid, seriesInstanceUid }: FindQuery['scope']): boolean {
  if (path.length !== 1) return false;
  return (path[0] === UNIQUE_KEY.STUDY && studyInstanceUid !== undefined) || (path[0] === UNIQUE_KEY.SERIES && seriesInstanceUid !== undefined);
}

function singleValue(tag: string, conditions: readonly Condition[]): string | undefined {
  const match = conditions.find(({ path }) => path.length === 1 && path[0] === tag)?.match;
  return match?.kind === 'values' && !match.wildcards && match.values.length === 1 ? match.values[0] : undefined;
}

/** The value as the identifier had it, several parts joined by backslashes. */
function textOf({ vr, Value: values = [] }: DicomJsonElement): string {
  const text = (value: unknown): string => {
    if (value === null || value === undefined) return '';
    if (vr === 'PN' && typeof value === 'object') return personNameText(value as PersonName);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  return values.map(text).join('\\');
}

function firstText(element: DicomJsonElement | undefined): string | undefined {
  if (element === undefined) return undefined;
  const value = element.Value?.[0];
  return typeof value === 'string' ? value : '';
}
