import { describe, expect, it } from '@jest/globals';
import { QueryRetrieveSopClass } from '@perennia/dicom-net';
import { retrievalQueryOf } from './retrieval-query.js';

const { studyRootMove, patientRootGet, patientStudyOnlyMove } = QueryRetrieveSopClass;
const identifier = (level: string, keys: Record<string, unknown[]>) => ({
  '00080052': { vr: 'CS', Value: [level] },
  ...Object.fromEntries(Object.entries(keys).map(([tag, Value]) => [tag, { vr: 'UI', Value }])),
});
const refusal = (...request: Parameters<typeof retrievalQueryOf>): unknown => {
  try {
    return retrievalQueryOf(...request);
  } catch (error) {
    return error;
  }
};

describe('what a retrieval asks for', () => {
  it('is named by the unique keys of its level, and of those above where they are given', () => {
    expect(retrievalQueryOf(studyRootMove, identifier('STUDY', { '0020000D': ['1.2', '1.3'] }))).toEqual({ level: 'STUDY', keys: { STUDY: ['1.2', '1.3'] } });
    expect(retrievalQueryOf(studyRootMove, identifier('IMAGE', { '0020000D': ['1.2'], '0020000E': ['1.2.1'], '00080018': ['1.2.1.1'] })).keys)
      .toEqual({ STUDY: ['1.2'], SERIES: ['1.2.1'], IMAGE: ['1.2.1.1'] });
    expect(retrievalQueryOf(patientRootGet, identifier('PATIENT', { '00100020': ['P1'] }))).toEqual({ level: 'PATIENT', keys: { PATIENT: ['P1'] } });
  });
  it('is not widened or narrowed by keys of levels below', () => {
    expect(retrievalQueryOf(studyRootMove, identifier('STUDY', { '0020000D': ['1.2'], '00080018': ['1.9'] })).keys).toEqual({ STUDY: ['1.2'] });
  });
  it.each([
    ['no level of the model', patientStudyOnlyMove, identifier('SERIES', { '0020000E': ['1'] }), 'Query/Retrieve Level must be one of PATIENT, STUDY'],
    ['no key of its level', studyRootMove, identifier('SERIES', { '0020000D': ['1.2'] }), 'SERIES level needs SeriesInstanceUID'],
    ['a wildcard', patientRootGet, identifier('PATIENT', { '00100020': ['P*'] }), 'PatientID must be one value or a list, without wildcards'],
  ])('is refused with A900: %s', (_, sopClass, keys, errorComment) => {
    expect(refusal(sopClass, keys)).toMatchObject({ status: 0xa900, errorComment });
  });
});
