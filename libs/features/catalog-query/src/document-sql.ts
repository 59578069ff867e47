// SQL that writes one result as DICOM JSON text, its tags ascending (PS3.18 §F.2.2). The server joins stored elements as
// text; nothing is parsed and written again in this process.
import type { BoundScope } from './bound-scope.js';
import { columnOf, computedAttribute, ON_REQUEST, requiredAttributes, UID_COLUMNS, WHEN_PRESENT, type ComputedFrom, type ReturnedAttribute } from './returned-attributes.js';
import { levelsDownTo, type SearchLevel } from './search-level.js';
import { SEARCHABLE_ATTRIBUTES } from './searchable-attributes.js';
import type { SearchPlan } from './search-plan.js';
import type { SqlText } from './sql-text.js';

export interface DocumentSql {
  text: string;
  /** Tables it reads. */
  levels: readonly SearchLevel[];
}

export function documentSql(plan: SearchPlan, scope: BoundScope, sql: SqlText, baseUrl: string): DocumentSql {
  const writer = new DocumentWriter(plan, scope, sql.bind(baseUrl, 'text'));
  const text = plan.includeAll ? writer.all() : writer.named(plan.returnedTags);
  return { text, levels: [...writer.used] };
}

class DocumentWriter {
  readonly used: Set<SearchLevel>;
  private readonly levels: readonly SearchLevel[];
  private readonly required: readonly ReturnedAttribute[];
  private readonly from: ComputedFrom;

  constructor(plan: SearchPlan, scope: BoundScope, baseUrl: string) {
    this.levels = levelsDownTo(plan.level);
    this.used = new Set([plan.level]);
    this.required = requiredAttributes(plan.level, wholeLevels(plan, this.levels));
    const column = (level: SearchLevel, name: string): string => this.column(level, name);
    this.from = { baseUrl, column, uid: (level) => scope.uids[level] ?? column(level, UID_COLUMNS[level]) };
  }

  named(tags: readonly string[]): string {
    const parts = new Map<string, string>();
    for (const { tag, vr, level, computed } of this.required) parts.set(tag, computed?.(this.from) ?? `coalesce((${this.stored(level, tag)})::text, '{"vr":"${vr}"}')`);
    for (const [tag, level] of WHEN_PRESENT) if (level === this.levels.at(-1)) parts.set(tag, `(${this.stored(level, tag)})::text`);
    for (const tag of tags) if (!parts.has(tag)) parts.set(tag, computedAttribute(tag, this.levels)?.computed!(this.from) ?? `(${this.storedAnywhere(tag)})::text`);
    const elements = [...parts].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([tag, element]) => `'"${tag}":' || ${element}`);
    // Absent elements are null, and array_to_string leaves nulls out.
    return `'{' || array_to_string(array[${elements.join(', ')}], ',') || '}'`;
  }

  all(): string {
    const empty = Object.fromEntries(this.required.filter(({ computed }) => computed === undefined).map(({ tag, vr }) => [tag, { vr }]));
    const computed = [...this.required, ...ON_REQUEST].filter((attribute) => attribute.computed !== undefined && this.levels.includes(attribute.level));
    const made = computed.map((attribute) => `'"${attribute.tag}":' || ${attribute.computed!(this.from)}`).join(` || ',' || `);
    const stored = this.levels.map((level) => this.column(level, 'attributes')).join(' || ');
    // jsonb keeps keys of equal length in bytewise order.
    return `('${JSON.stringify(empty)}'::jsonb || ${stored} || ('{' || ${made} || '}')::jsonb)::text`;
  }

  private column(level: SearchLevel, name: string): string {
    this.used.add(level);
    return columnOf(level, name);
  }

  /** Tags come from the dictionary or from eight hex digits, so they may stand in the text. */
  private stored(level: SearchLevel, tag: string): string {
    return `${this.column(level, 'attributes')} -> '${tag}'`;
  }

  private storedAnywhere(tag: string): string {
    const level = SEARCHABLE_ATTRIBUTES.get(tag)?.level;
    const places = level && this.levels.includes(level) ? [level] : this.levels.toReversed();
    return places.length === 1 ? this.stored(places[0]!, tag) : `coalesce(${places.map((each) => this.stored(each, tag)).join(', ')})`;
  }
}

/** Levels above that are not named by the path are part of every result (PS3.18 §10.6.3.3). */
function wholeLevels({ level, scope }: SearchPlan, levels: readonly SearchLevel[]): SearchLevel[] {
  return levels.filter((each) => each === level || (each === 'study' ? scope.studyInstanceUid === undefined : scope.seriesInstanceUid === undefined));
}
