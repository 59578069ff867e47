// Compares values of DICOM JSON with what expected.json says as text.

type Json = Record<string, { Value?: unknown[] } | undefined>;

/** The values of an attribute as one text: several by backslash, name groups by `=`. */
export function valueText(dataset: Json, key: string): string {
  const values = dataset[key]?.Value ?? [];
  return values.map((value) => {
    if (typeof value !== 'object' || value === null) return String(value ?? '');
    const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value as Record<string, string>;
    return `${Alphabetic}=${Ideographic}=${Phonetic}`.replace(/=+$/, '');
  }).join('\\');
}

/** Numbers lose leading zeros and signs as JSON numbers; empty name components at the end mean nothing (PS3.5 §6.2.1.1). */
export function sameText(keyword: string, found: string, expected: string): boolean {
  if (found === expected) return true;
  if (found !== '' && expected !== '' && Number(found) === Number(expected)) return true;
  return keyword.endsWith('Name') && found.replace(/\^+$/, '') === expected.replace(/\^+$/, '');
}
