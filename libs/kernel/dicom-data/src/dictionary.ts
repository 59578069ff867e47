// The data dictionary of PS3.6: tag to VR, VM and keyword, and back. Built on first use from one text of 200 KB.
import { DICTIONARY_LINES } from './dictionary.generated.js';
import { type Tag } from './tag.js';

export interface DictionaryEntry {
  tag: Tag;
  /** First alternative of the standard, e.g. `US` of "US or SS"; see `alternatives`. */
  vr: string;
  /** All VRs the standard allows, where there is more than one. */
  alternatives: readonly string[];
  /** Value multiplicity as the standard writes it: `1`, `1-n`, `2-2n` … */
  vm: string;
  keyword: string;
}
interface Repeater extends DictionaryEntry {
  mask: number;
}
interface Dictionary {
  byTag: Map<Tag, DictionaryEntry>;
  byKeyword: Map<string, Tag>;
  /** Elements of repeating groups, e.g. (60xx,3000): few, so a list. */
  repeaters: Repeater[];
}

let dictionary: Dictionary | undefined;

/** The entry of a standard tag; undefined for private, unknown and group length tags. */
export function lookupTag(tag: Tag): DictionaryEntry | undefined {
  dictionary ??= build();
  const entry = dictionary.byTag.get(tag);
  if (entry !== undefined || (tag & 0x10000) !== 0) return entry;
  return dictionary.repeaters.find((repeater) => (tag & repeater.mask) >>> 0 === repeater.tag);
}

export function tagOfKeyword(keyword: string): Tag | undefined {
  dictionary ??= build();
  return dictionary.byKeyword.get(keyword);
}

export function keywordOfTag(tag: Tag): string | undefined {
  return lookupTag(tag)?.keyword;
}

function build(): Dictionary {
  const built: Dictionary = { byTag: new Map(), byKeyword: new Map(), repeaters: [] };
  for (const line of DICTIONARY_LINES.split('\n')) {
    if (line === '') continue;
    const [digits, vrs, vm, keyword] = line.split(' ') as [string, string, string, string];
    const alternatives = vrs.split('/');
    const tag = Number.parseInt(digits.replaceAll('x', '0'), 16);
    const entry = { tag, vr: alternatives[0]!, alternatives, vm, keyword };
    if (digits.includes('x')) built.repeaters.push({ ...entry, mask: Number.parseInt(digits.replace(/[^x]/g, 'F').replaceAll('x', '0'), 16) });
    else built.byTag.set(tag, entry);
    if (!built.byKeyword.has(keyword)) built.byKeyword.set(keyword, tag);
  }
  return built;
}
