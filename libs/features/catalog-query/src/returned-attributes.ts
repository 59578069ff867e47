// The attributes of an answer: those PS3.18 §10.6.3.3 requires of each level (Tables 10.6.3-3 to -5), and how the computed
// ones are made. `${alias}` is the table of the level, $BASE the bound base URL of the service.
import { ALIAS, type SearchLevel } from './search-level.js';

export interface ReturnedAttribute {
  tag: string;
  vr: string;
  level: SearchLevel;
  /** SQL giving the DICOM JSON element as jsonb; absent: what was received. */
  computed?: string;
}

const { study: s, series: se, instance: i } = ALIAS;
const value = (vr: string, sql: string): string => `jsonb_build_object('vr', '${vr}', 'Value', jsonb_build_array(${sql}))`;
const values = (vr: string, sql: string): string => `jsonb_build_object('vr', '${vr}', 'Value', to_jsonb(${sql}))`;

/** Stands for the placeholder of the base URL until the statement is put together. */
export const BASE_URL = '$BASE';
const studyUrl = `${BASE_URL} || '/studies/' || ${s}.study_instance_uid`;
const seriesUrl = `${studyUrl} || '/series/' || ${se}.series_instance_uid`;
const instanceUrl = `${seriesUrl} || '/instances/' || ${i}.sop_instance_uid`;

/** Answers are UTF-8 whatever was received. */
const characterSet = (level: SearchLevel): ReturnedAttribute => ({ tag: '00080005', vr: 'CS', level, computed: `'{"vr":"CS","Value":["ISO_IR 192"]}'::jsonb` });
const availability = (level: SearchLevel): ReturnedAttribute => ({ tag: '00080056', vr: 'CS', level, computed: `'{"vr":"CS","Value":["ONLINE"]}'::jsonb` });
const retrieveUrl = (level: SearchLevel, sql: string): ReturnedAttribute => ({ tag: '00081190', vr: 'UR', level, computed: value('UR', sql) });
const received = (level: SearchLevel, tag: string, vr: string): ReturnedAttribute => ({ tag, vr, level });
const column = (level: SearchLevel, tag: string, vr: string, name: string): ReturnedAttribute => ({ tag, vr, level, computed: value(vr, `${ALIAS[level]}.${name}`) });

const STUDY: readonly ReturnedAttribute[] = [
  received('study', '00080020', 'DA'),
  received('study', '00080030', 'TM'),
  received('study', '00080050', 'SH'),
  { tag: '00080061', vr: 'CS', level: 'study', computed: values('CS', `${s}.modalities`) },
  received('study', '00080090', 'PN'),
  received('study', '00100010', 'PN'),
  received('study', '00100020', 'LO'),
  received('study', '00100030', 'DA'),
  received('study', '00100040', 'CS'),
  column('study', '0020000D', 'UI', 'study_instance_uid'),
  received('study', '00200010', 'SH'),
  column('study', '00201206', 'IS', 'number_of_series'),
  column('study', '00201208', 'IS', 'number_of_instances'),
];
const SERIES: readonly ReturnedAttribute[] = [
  received('series', '00080060', 'CS'),
  received('series', '0008103E', 'LO'),
  column('series', '0020000E', 'UI', 'series_instance_uid'),
  received('series', '00200011', 'IS'),
  column('series', '00201209', 'IS', 'number_of_instances'),
  received('series', '00400244', 'DA'),
  received('series', '00400245', 'TM'),
  received('series', '00400275', 'SQ'),
];
const INSTANCE: readonly ReturnedAttribute[] = [
  column('instance', '00080016', 'UI', 'sop_class_uid'),
  column('instance', '00080018', 'UI', 'sop_instance_uid'),
  received('instance', '00200013', 'IS'),
];
/** Only where the image has them: an empty Rows would say something about a report. */
export const WHEN_PRESENT: ReadonlyMap<string, SearchLevel> = new Map([
  ['00080201', 'study'],
  ['00280008', 'instance'],
  ['00280010', 'instance'],
  ['00280011', 'instance'],
  ['00280100', 'instance'],
]);
/** Made on the way out when asked for by name, or by includefield=all. */
export const ON_REQUEST: readonly ReturnedAttribute[] = [{ tag: '00080062', vr: 'UI', level: 'study', computed: values('UI', `${s}.sop_classes`) }];

const OWN: Readonly<Record<SearchLevel, readonly ReturnedAttribute[]>> = { study: STUDY, series: SERIES, instance: INSTANCE };
const URLS: Readonly<Record<SearchLevel, string>> = { study: studyUrl, series: seriesUrl, instance: instanceUrl };
const KEYS: readonly ReturnedAttribute[] = [...STUDY, ...SERIES].filter(({ tag }) => tag === '0020000D' || tag === '0020000E');

/**
 * @param whole levels whose attributes are required; the UIDs of the levels above are always given, so that a result can be
 * retrieved by what it says
 */
export function requiredAttributes(level: SearchLevel, whole: readonly SearchLevel[]): ReturnedAttribute[] {
  const own = whole.flatMap((each) => OWN[each]);
  const keys = KEYS.filter((key) => !own.includes(key) && (key.level === 'study' || level === 'instance'));
  return [characterSet(level), availability(level), retrieveUrl(level, URLS[level]), ...keys, ...own];
}
