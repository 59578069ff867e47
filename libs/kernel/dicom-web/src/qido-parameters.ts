// Query parameters of QIDO-RS (PS3.18 §8.3.4, §10.6.1.2): attribute matching, includefield, limit, offset, fuzzymatching.
// A name that is neither a keyword nor a tag, or a parameter given twice, is refused: silently matching nothing, or
// everything, would show the wrong patients.
import { DicomWebError } from './dicom-web-error.js';
import { parseAttributeMatch } from './attribute-match.js';
import { combineDateTime } from './combine-date-time.js';
import type { CombinedCondition, Condition, TagPath } from './condition.js';
import { parseTagPath, type NamedAttribute } from './tag-path.js';

export interface QidoParameters {
  conditions: readonly Condition[];
  combined: readonly CombinedCondition[];
  /** Attributes to return beside the required ones: those matched and those of includefield. */
  returned: readonly TagPath[];
  includeAll: boolean;
  limit?: number;
  offset: number;
  /** From a `Link: rel="next"` of ours. */
  cursor?: string;
  /** The query parameter `accept`, which wins over the header (PS3.18 §8.3.3.1). */
  accept?: string;
  /** For the Warning header. */
  warnings: readonly string[];
}

const MAX_PARAMETERS = 100;
const LITERAL_ONLY = 'The fuzzymatching parameter is not supported. Only literal matching has been performed.';

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

/** Splits a query string; @throws DicomWebError on bad escapes or too many parameters */
export function splitQuery(query: string): [name: string, value: string][] {
  const pieces = query.split('&').filter((piece) => piece !== '');
  if (pieces.length > MAX_PARAMETERS) throw new DicomWebError('limit', `More than ${MAX_PARAMETERS} query parameters`);
  return pieces.map((piece) => {
    const equals = piece.indexOf('=');
    try {
      return equals < 0 ? [decode(piece), ''] : [decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))];
    } catch (error) {
      if (error instanceof URIError) throw new DicomWebError('syntax', 'A query parameter is not percent-encoded UTF-8');
      throw error;
    }
  });
}

function parseCount(name: string, text: string, least: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value < least) throw new DicomWebError('syntax', `${name} must be a whole number of at least ${least}`);
  return value;
}

function parseFlag(name: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new DicomWebError('syntax', `${name} must be true or false`);
  return text === 'true';
}

class Collector {
  readonly conditions: Condition[] = [];
  readonly returned: TagPath[] = [];
  readonly warnings: string[] = [];
  readonly seen = new Set<string>();
  includeAll = false;
  limit: number | undefined;
  offset: number | undefined;
  cursor: string | undefined;
  accept: string | undefined;

  take(name: string, value: string): void {
    if (name === 'includefield') return this.include(value);
    const attribute = RESERVED.has(name) ? null : parseTagPath(name);
    const key = attribute ? attribute.path.join('.') : name;
    if (this.seen.has(key)) throw new DicomWebError('syntax', `The parameter ${name.slice(0, 64)} is given twice`);
    this.seen.add(key);
    if (attribute) this.match(name, attribute, value);
    else this.control(name, value);
  }

  private include(value: string): void {
    for (const name of value.split(',').map((each) => each.trim()).filter(Boolean)) {
      if (name === 'all') this.includeAll = true;
      else this.returned.push(parseTagPath(name).path);
    }
  }

  private match(name: string, { path, vr }: NamedAttribute, value: string): void {
    const match = vr === 'SQ' && value.trim() === '' ? ({ kind: 'universal' } as const) : parseAttributeMatch(name, vr, value);
    this.returned.push(path);
    if (match.kind !== 'universal') this.conditions.push({ path, vr, match });
  }

  private control(name: string, value: string): void {
    if (name === 'limit') this.limit = parseCount(name, value, 1);
    else if (name === 'offset') this.offset = parseCount(name, value, 0);
    else if (name === 'cursor') this.cursor = value;
    else if (name === 'accept') this.accept = value;
    else if (name === 'fuzzymatching') {
      if (parseFlag(name, value)) this.warnings.push(LITERAL_ONLY);
    } else if (parseFlag(name, value)) this.warnings.push(`The ${name} parameter is not supported and was ignored.`);
  }
}
const RESERVED = new Set(['limit', 'offset', 'cursor', 'accept', 'fuzzymatching', 'emptyvaluematching', 'multiplevaluematching']);

/** @param query what follows the question mark, still encoded */
export function parseQidoParameters(query: string): QidoParameters {
  const collector = new Collector();
  for (const [name, value] of splitQuery(query)) collector.take(name, value);
  const { returned, includeAll, limit, offset, cursor, accept, warnings } = collector;
  if (cursor !== undefined && offset !== undefined) throw new DicomWebError('syntax', 'cursor and offset exclude each other');
  return {
    ...combineDateTime(collector.conditions),
    returned,
    includeAll,
    offset: offset ?? 0,
    warnings,
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(accept === undefined ? {} : { accept }),
  };
}
