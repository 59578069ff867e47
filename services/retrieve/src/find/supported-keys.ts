// Which attributes answers can have at a level: those that are kept of every object, and those that are counted or made (PS3.4 §C.3.4).
import { INDEX_ATTRIBUTES } from '@perennia/dicom-stream';
import { PATIENT_TAGS } from '@perennia/catalog-query';
import { QUERY_LEVELS, type QueryLevel } from '../query-level.js';

/** Number of Patient Related Studies, Series, Instances: at the patient level only. */
export const PATIENT_COUNTS = { studies: '00201200', series: '00201202', instances: '00201204' } as const;
const PATIENT_COUNT_TAGS: ReadonlySet<string> = new Set(Object.values(PATIENT_COUNTS));

/** Modalities in Study, SOP Classes in Study, numbers of related series and instances. */
const MADE: ReadonlyMap<string, QueryLevel> = new Map([
  ['00080061', 'STUDY'], ['00080062', 'STUDY'], ['00201206', 'STUDY'], ['00201208', 'STUDY'], ['00201209', 'SERIES'],
]);
/** Retrieve AE Title, Instance Availability, Timezone Offset From UTC. */
const ALWAYS: ReadonlySet<string> = new Set(['00080054', '00080056', '00080201']);
const LEVEL_OF = { study: 'STUDY', series: 'SERIES', instance: 'IMAGE' } as const;

export function isSupportedKey(tag: string, level: QueryLevel): boolean {
  if (ALWAYS.has(tag)) return true;
  if (level === 'PATIENT') return PATIENT_TAGS.has(tag) || PATIENT_COUNT_TAGS.has(tag);
  const kept = INDEX_ATTRIBUTES.get(Number.parseInt(tag, 16));
  const owner = MADE.get(tag) ?? (kept && LEVEL_OF[kept.level]);
  return owner !== undefined && QUERY_LEVELS.indexOf(owner) <= QUERY_LEVELS.indexOf(level);
}
