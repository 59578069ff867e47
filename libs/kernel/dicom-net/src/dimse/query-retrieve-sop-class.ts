// SOP classes of the Query/Retrieve service class (PS3.4 Annex C). Their sections: Patient Root §C.6.1.3, Study Root §C.6.2.3,
// Patient/Study Only §C.6.3.3, which is retired since PS3.4-2004 and still asked for.

export const QueryRetrieveSopClass = {
  patientRootFind: '1.2.840.10008.5.1.4.1.2.1.1',
  patientRootMove: '1.2.840.10008.5.1.4.1.2.1.2',
  patientRootGet: '1.2.840.10008.5.1.4.1.2.1.3',
  studyRootFind: '1.2.840.10008.5.1.4.1.2.2.1',
  studyRootMove: '1.2.840.10008.5.1.4.1.2.2.2',
  studyRootGet: '1.2.840.10008.5.1.4.1.2.2.3',
  patientStudyOnlyFind: '1.2.840.10008.5.1.4.1.2.3.1',
  patientStudyOnlyMove: '1.2.840.10008.5.1.4.1.2.3.2',
  patientStudyOnlyGet: '1.2.840.10008.5.1.4.1.2.3.3',
} as const;

/** Those that C-FIND is for. */
export const QUERY_SOP_CLASSES: ReadonlySet<string> = new Set([
  QueryRetrieveSopClass.patientRootFind, QueryRetrieveSopClass.studyRootFind, QueryRetrieveSopClass.patientStudyOnlyFind,
]);

/** Those that C-MOVE is for. */
export const MOVE_SOP_CLASSES: ReadonlySet<string> = new Set([
  QueryRetrieveSopClass.patientRootMove, QueryRetrieveSopClass.studyRootMove, QueryRetrieveSopClass.patientStudyOnlyMove,
]);

/** Those that C-GET is for. */
export const GET_SOP_CLASSES: ReadonlySet<string> = new Set([
  QueryRetrieveSopClass.patientRootGet, QueryRetrieveSopClass.studyRootGet, QueryRetrieveSopClass.patientStudyOnlyGet,
]);

const ALL: ReadonlySet<string> = new Set(Object.values(QueryRetrieveSopClass));

export function isQueryRetrieveSopClass(uid: string): boolean {
  return ALL.has(uid);
}
