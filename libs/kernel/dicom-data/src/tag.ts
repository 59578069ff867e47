// Data element tags as plain numbers: (group << 16 | element), unsigned. Numbers compare and hash faster than objects.

/** A data element tag, PS3.5 §7.1: `(group << 16 | element) >>> 0`. */
export type Tag = number;

/** The tag as DICOM JSON and URLs write it: eight upper-case hex digits. */
export function tagKey(tag: Tag): string {
  const known = keys.get(tag);
  if (known !== undefined) return known;
  const key = tag.toString(16).toUpperCase().padStart(8, '0');
  // Bounded, because private tags come from input.
  if (keys.size < 8192) keys.set(tag, key);
  return key;
}
const keys = new Map<Tag, string>();

/** Reads `GGGGEEEE`, `GGGG,EEEE` or `(GGGG,EEEE)` in either case; undefined when it is none of them. */
export function parseTag(text: string): Tag | undefined {
  const found = /^(?:([0-9a-f]{4}),?([0-9a-f]{4})|\(([0-9a-f]{4}),([0-9a-f]{4})\))$/i.exec(text);
  return found ? Number.parseInt((found[1] ?? found[3]!) + (found[2] ?? found[4]!), 16) : undefined;
}

/** Odd groups are private (PS3.5 §7.8). */
export function isPrivateTag(tag: Tag): boolean {
  return (tag & 0x10000) !== 0;
}
