// Person names (PS3.5 §6.2.1): three component groups, and the one form in which stored and asked names are compared.

export interface PersonName {
  Alphabetic?: string;
  Ideographic?: string;
  Phonetic?: string;
}

/** Splits one decoded PN value into its groups (PS3.18 §F.2.2 names them so); empty groups are left out. */
export function parsePersonName(text: string): PersonName {
  const name: PersonName = {};
  const groups = text.split('=', 3);
  for (let i = 0; i < groups.length; i++) {
    const group = trimSpace(groups[i]!);
    if (group !== '') name[GROUPS[i]!] = group;
  }
  return name;
}
const GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;

/**
 * The form in which names are stored for searching and in which queries are compared with them: NFC, upper case, groups
 * separated by `=`, every group without trailing `^` and spaces, the whole without trailing `=`. Null when nothing is left.
 */
export function searchName(text: string): string | null {
  // Western names are the rule: one test instead of normalising.
  const plain = ASCII.test(text) ? text.toUpperCase() : text.normalize('NFC').toUpperCase().normalize('NFC');
  const form = plain.includes('=') ? plain.split('=', 3).map(trimGroup).join('=') : trimGroup(plain);
  const end = lengthWithout(form, EQUALS);
  return end === 0 ? null : form.slice(0, end);
}
// oxlint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/;
const EQUALS = 0x3d;
const CARET = 0x5e;
const SPACE = 0x20;

function trimGroup(group: string): string {
  let start = 0;
  while (start < group.length && isPadding(group.charCodeAt(start))) start++;
  let end = group.length;
  while (end > start && (group.charCodeAt(end - 1) === CARET || isPadding(group.charCodeAt(end - 1)))) end--;
  return group.slice(start, end);
}
function trimSpace(group: string): string {
  let end = group.length;
  while (end > 0 && isPadding(group.charCodeAt(end - 1))) end--;
  let start = 0;
  while (start < end && isPadding(group.charCodeAt(start))) start++;
  return group.slice(start, end);
}
function isPadding(c: number): boolean {
  return c === SPACE || c === 0;
}
function lengthWithout(text: string, c: number): number {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === c) end--;
  return end;
}
