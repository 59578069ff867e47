// The attributes that can be matched, and the column that answers each. All others are returned when kept, never matched.
import type { SearchLevel } from './search-level.js';

/**
 * `text` and `name` match by LIKE, `name` in any of the three component groups; `array` matches when any element does;
 * `kept` looks into the kept DICOM JSON, also inside a sequence, and so is for narrowing other filters, not for finding alone.
 */
export type ColumnKind = 'text' | 'name' | 'date-time' | 'integer' | 'array' | 'kept';

export interface SearchableAttribute {
  level: SearchLevel;
  column: string;
  kind: ColumnKind;
}

const attribute = (level: SearchLevel, column: string, kind: ColumnKind = 'text'): SearchableAttribute => ({ level, column, kind });

/** By tag path, its tags joined by dots. */
export const SEARCHABLE_ATTRIBUTES: ReadonlyMap<string, SearchableAttribute> = new Map([
  ['0020000D', attribute('study', 'study_instance_uid')],
  // sort_date is study_date, '' where there is none, and stands in the index of the study list.
  ['00080020', attribute('study', 'sort_date', 'date-time')],
  ['00080030', attribute('study', 'study_time', 'date-time')],
  ['00080050', attribute('study', 'accession_number')],
  ['00080061', attribute('study', 'modalities', 'array')],
  ['00080062', attribute('study', 'sop_classes', 'array')],
  ['00080090', attribute('study', 'referring_physician', 'name')],
  ['00081030', attribute('study', 'study_description')],
  ['00100010', attribute('study', 'patient_name', 'name')],
  ['00100020', attribute('study', 'patient_identifier')],
  ['00100021', attribute('study', 'issuer')],
  ['00100030', attribute('study', 'patient_birth_date', 'date-time')],
  ['00100040', attribute('study', 'patient_sex')],
  ['00200010', attribute('study', 'study_id')],
  ['00201206', attribute('study', 'number_of_series', 'integer')],
  ['00201208', attribute('study', 'number_of_instances', 'integer')],
  ['0020000E', attribute('series', 'series_instance_uid')],
  ['00080060', attribute('series', 'modality')],
  ['0008103E', attribute('series', 'series_description')],
  ['00180015', attribute('series', 'body_part_examined')],
  ['00200011', attribute('series', 'series_number', 'integer')],
  ['00201209', attribute('series', 'number_of_instances', 'integer')],
  ['00400244', attribute('series', 'performed_date', 'date-time')],
  ['00400245', attribute('series', 'performed_time', 'date-time')],
  ['00400275.00400009', attribute('series', 'attributes', 'kept')],
  ['00400275.00401001', attribute('series', 'attributes', 'kept')],
  ['00080070', attribute('series', 'attributes', 'kept')],
  ['00080080', attribute('series', 'attributes', 'kept')],
  ['00081010', attribute('series', 'attributes', 'kept')],
  ['00081090', attribute('series', 'attributes', 'kept')],
  ['00181030', attribute('series', 'attributes', 'kept')],
  ['00200052', attribute('series', 'attributes', 'kept')],
  ['00080016', attribute('instance', 'sop_class_uid')],
  ['00080018', attribute('instance', 'sop_instance_uid')],
  ['00200013', attribute('instance', 'instance_number', 'integer')],
  ['00280008', attribute('instance', 'number_of_frames', 'integer')],
  ['00280010', attribute('instance', 'rows', 'integer')],
  ['00280011', attribute('instance', 'columns', 'integer')],
  ['00280100', attribute('instance', 'bits_allocated', 'integer')],
]);
