// SQL that writes one result as DICOM JSON text, its tags ascending (PS3.18 §F.2.2). The server joins stored elements as
// text; nothing is parsed and written again in this process.
import { ALIAS, levelsDownTo, type SearchLevel } from './search-level.js';
import { BASE_URL, ON_REQUEST, requiredAttributes, WHEN_PRESENT, type ReturnedAttribute } from './returned-attributes.js';
import { SEARCHABLE_ATTRIBUTES } from './searchable-attributes.js';
import type { SearchPlan } from './search-plan.js';
import type { SqlText } from './sql-text.js';

export function documentSql(plan: SearchPlan, sql: SqlText, baseUrl: string): string {
  const levels = levelsDownTo(plan.level);
  const required = requiredAttributes(plan.level, wholeLevels(plan, levels));
  const statement = plan.includeAll ? allAttributes(required, levels) : namedAttributes(required, plan.returnedTags, levels);
  return statement.includes(BASE_URL) ? statement.replaceAll(BASE_URL, sql.bind(baseUrl, 'text')) : statement;
}

/** Levels above that are not named by the path are part of every result (PS3.18 §10.6.3.3). */
function wholeLevels({ level, scope }: SearchPlan, levels: readonly SearchLevel[]): SearchLevel[] {
  return levels.filter(
    (each) => each === level || (each === 'study' ? scope.studyInstanceUid === undefined : scope.seriesInstanceUid === undefined),
  );
}

function namedAttributes(required: readonly ReturnedAttribute[], tags: readonly string[], levels: readonly SearchLevel[]): string {
  const parts = new Map<string, string>();
  for (const { tag, vr, level, computed } of required) parts.set(tag, computed ?? `coalesce(${stored(level, tag)}, '{"vr":"${vr}"}'::jsonb)`);
  for (const { tag, computed, level } of ON_REQUEST) if (tags.includes(tag) && levels.includes(level)) parts.set(tag, computed!);
  for (const [tag, level] of WHEN_PRESENT) if (levels.includes(level)) parts.set(tag, stored(level, tag));
  for (const tag of tags) if (!parts.has(tag)) parts.set(tag, storedAnywhere(tag, levels));
  const elements = [...parts].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([tag, element]) => `'"${tag}":' || (${element})::text`);
  // Absent elements are null, and array_to_string leaves nulls out.
  return `'{' || array_to_string(array[${elements.join(', ')}], ',') || '}'`;
}

function allAttributes(required: readonly ReturnedAttribute[], levels: readonly SearchLevel[]): string {
  const empty = Object.fromEntries(required.filter(({ computed }) => computed === undefined).map(({ tag, vr }) => [tag, { vr }]));
  const computed = [...required, ...ON_REQUEST].filter((attribute) => attribute.computed !== undefined && levels.includes(attribute.level));
  const made = computed.map((attribute) => `'${attribute.tag}', ${attribute.computed!}`).join(', ');
  // jsonb keeps keys of equal length in bytewise order.
  return `('${JSON.stringify(empty)}'::jsonb || ${levels.map((level) => `${ALIAS[level]}.attributes`).join(' || ')} || jsonb_build_object(${made}))::text`;
}

/** Tags come from the dictionary or from eight hex digits, so they may stand in the text. */
const stored = (level: SearchLevel, tag: string): string => `${ALIAS[level]}.attributes -> '${tag}'`;

function storedAnywhere(tag: string, levels: readonly SearchLevel[]): string {
  const level = SEARCHABLE_ATTRIBUTES.get(tag)?.level;
  const places = level && levels.includes(level) ? [level] : levels.toReversed();
  return places.length === 1 ? stored(places[0]!, tag) : `coalesce(${places.map((each) => stored(each, tag)).join(', ')})`;
}
