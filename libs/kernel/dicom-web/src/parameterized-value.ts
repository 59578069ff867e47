// Header values of the shape `token; name=value; name="quoted \" value"` (RFC 9110 §5.6.6), the base of Accept and Content-Type.

export interface ParameterizedValue {
  /** Lower-case. */
  value: string;
  /** Names in lower case; values as sent, quotes removed. */
  parameters: ReadonlyMap<string, string>;
}

const PARAMETER = /;\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*/y;

/** Splits at top-level occurrences of `separator`, leaving quoted strings whole. */
export function splitOutsideQuotes(text: string, separator: string): string[] {
  if (!text.includes('"')) return text.split(separator);
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (quoted && character === '\\') index++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** @returns null when the text is not of that shape, or a parameter stands twice */
export function parseParameterizedValue(text: string): ParameterizedValue | null {
  const end = text.indexOf(';');
  const value = (end < 0 ? text : text.slice(0, end)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  if (end < 0) return { value, parameters };
  let at = end;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (!match) return text.slice(at).trim() === ';' ? { value, parameters } : null;
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) return null;
    parameters.set(name, match[2] === undefined ? match[3]! : match[2].replace(/\\(.)/g, '$1'));
    at = PARAMETER.lastIndex;
  }
  return { value, parameters };
}
