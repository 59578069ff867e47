// What a C-MOVE or C-GET asks for: the unique keys of its identifier (PS3.4 §C.4.2.1.4, §C.4.3.1.3). Keys of the levels above may be missing, as
// with relational retrieval; they only narrow what is meant.
import type { DicomJsonDataset } from '@perennia/contracts';
import { lookupTag } from '@perennia/dicom-data';
import { levelOf, levelsOf, mismatch, UNIQUE_KEY, type QueryLevel } from '../query-level.js';

export interface RetrievalQuery {
  level: QueryLevel;
  /** Values of the unique key of each level, where the identifier has any. */
  keys: Readonly<Partial<Record<QueryLevel, readonly string[]>>>;
}

const MAX_KEYS = 10_000;

/** @throws DimseFailure A900 with the reason in plain words */
export function retrievalQueryOf(sopClassUid: string, identifier: DicomJsonDataset): RetrievalQuery {
  const level = levelOf(sopClassUid, identifier);
  const down = levelsOf(sopClassUid);
  const named = ['PATIENT' as const, ...down.filter((each) => each !== 'PATIENT')].filter((each) => each === 'PATIENT' || down.indexOf(each) <= down.indexOf(level));
  const keys = Object.fromEntries(named.flatMap((each) => {
    const values = valuesOf(UNIQUE_KEY[each], identifier);
    return values.length === 0 ? [] : [[each, values]];
  })) as RetrievalQuery['keys'];
  if (!keys[level]) throw mismatch(`${level} level needs ${lookupTag(Number.parseInt(UNIQUE_KEY[level], 16))!.keyword}`);
  return { level, keys };
}

function valuesOf(tag: string, identifier: DicomJsonDataset): string[] {
  const values = (identifier[tag]?.Value ?? []).filter((value): value is string | number => typeof value === 'string' || typeof value === 'number').map(String);
  const { keyword } = lookupTag(Number.parseInt(tag, 16))!;
  if (values.some((value) => /[*?]/.test(value))) throw mismatch(`${keyword} must be one value or a list, without wildcards`);
  if (values.length > MAX_KEYS) throw mismatch(`${keyword} lists more than ${MAX_KEYS} values`);
  return values;
}
