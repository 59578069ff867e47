// The information models of the Query/Retrieve service class, their levels and unique keys (PS3.4 §C.6).
import { DimseFailure, DimseStatus, QueryRetrieveSopClass } from '@perennia/dicom-net';
import type { DicomJsonDataset } from '@perennia/contracts';

export const QUERY_LEVELS = ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'] as const;
/** As written in Query/Retrieve Level (0008,0052). */
export type QueryLevel = (typeof QUERY_LEVELS)[number];

const PATIENT_ROOT: readonly QueryLevel[] = QUERY_LEVELS;
const STUDY_ROOT: readonly QueryLevel[] = ['STUDY', 'SERIES', 'IMAGE'];
const PATIENT_STUDY_ONLY: readonly QueryLevel[] = ['PATIENT', 'STUDY'];

const {
  patientRootFind, patientRootMove, patientRootGet, studyRootFind, studyRootMove, studyRootGet, patientStudyOnlyFind, patientStudyOnlyMove, patientStudyOnlyGet,
} = QueryRetrieveSopClass;
const MODELS: ReadonlyMap<string, readonly QueryLevel[]> = new Map([
  ...[patientRootFind, patientRootMove, patientRootGet].map((uid) => [uid, PATIENT_ROOT] as const),
  ...[studyRootFind, studyRootMove, studyRootGet].map((uid) => [uid, STUDY_ROOT] as const),
  ...[patientStudyOnlyFind, patientStudyOnlyMove, patientStudyOnlyGet].map((uid) => [uid, PATIENT_STUDY_ONLY] as const),
]);

/** The levels of a SOP class, widest first; none where it is no class of Query/Retrieve. */
export const levelsOf = (sopClassUid: string): readonly QueryLevel[] => MODELS.get(sopClassUid) ?? [];

/** The unique key of each level (PS3.4 Tables C.6-1, C.6-2, C.6-3, C.6-4). */
export const UNIQUE_KEY: Readonly<Record<QueryLevel, string>> = { PATIENT: '00100020', STUDY: '0020000D', SERIES: '0020000E', IMAGE: '00080018' };

export const LEVEL_TAG = '00080052';

/** @throws DimseFailure A900 when the identifier names no level of the model */
export function levelOf(sopClassUid: string, identifier: DicomJsonDataset): QueryLevel {
  const levels = levelsOf(sopClassUid);
  const asked = identifier[LEVEL_TAG]?.Value?.[0];
  if (asked === undefined) throw mismatch('Query/Retrieve Level (0008,0052) is missing');
  const level = levels.find((each) => each === asked);
  if (!level) throw mismatch(`Query/Retrieve Level must be one of ${levels.join(', ')}`);
  return level;
}

/** The identifier does not say what the SOP class needs: A900 with the reason in plain words. */
export const mismatch = (comment: string): DimseFailure => new DimseFailure(DimseStatus.identifierDoesNotMatchSopClass, comment);
