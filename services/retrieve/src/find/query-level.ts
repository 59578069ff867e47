// The information models of the Query/Retrieve service class and their levels (PS3.4 §C.6).
import { QueryRetrieveSopClass } from '@perennia/dicom-net';

export const QUERY_LEVELS = ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'] as const;
/** As written in Query/Retrieve Level (0008,0052). */
export type QueryLevel = (typeof QUERY_LEVELS)[number];

const PATIENT_ROOT: readonly QueryLevel[] = QUERY_LEVELS;
const STUDY_ROOT: readonly QueryLevel[] = ['STUDY', 'SERIES', 'IMAGE'];
const PATIENT_STUDY_ONLY: readonly QueryLevel[] = ['PATIENT', 'STUDY'];

const MODELS: ReadonlyMap<string, readonly QueryLevel[]> = new Map([
  [QueryRetrieveSopClass.patientRootFind, PATIENT_ROOT],
  [QueryRetrieveSopClass.studyRootFind, STUDY_ROOT],
  [QueryRetrieveSopClass.patientStudyOnlyFind, PATIENT_STUDY_ONLY],
]);

/** The levels of a SOP class, widest first; none where it is no query class. */
export const levelsOf = (sopClassUid: string): readonly QueryLevel[] => MODELS.get(sopClassUid) ?? [];

/** The unique key of each level (PS3.4 Tables C.6-1, C.6-2, C.6-3, C.6-4). */
export const UNIQUE_KEY: Readonly<Record<QueryLevel, string>> = { PATIENT: '00100020', STUDY: '0020000D', SERIES: '0020000E', IMAGE: '00080018' };
