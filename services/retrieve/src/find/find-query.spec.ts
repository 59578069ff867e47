import { describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { DimseFailure, NO_QUERY_EXTENSIONS, QueryRetrieveSopClass } from '@perennia/dicom-net';
import { findQueryOf, type FindQuery } from './find-query.js';
import { readIdentifier } from '../read-identifier.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const { patientRootFind, studyRootFind, patientStudyOnlyFind } = QueryRetrieveSopClass;

function query(identifier: Dataset, { sopClass = studyRootFind as string, relational = false, dateTime = false, optional = false } = {}): FindQuery {
  const json = readIdentifier(writeDataset(identifier, EXPLICIT), EXPLICIT, undefined);
  const extensions = { ...NO_QUERY_EXTENSIONS, relationalQueries: relational, dateTimeMatching: dateTime };
  return findQueryOf(sopClass, json, { extensions, upperKeysOptional: optional });
}
function refusal(...request: Parameters<typeof query>): { status: number; comment: string | undefined } {
  try {
    query(...request);
  } catch (error) {
    if (error instanceof DimseFailure) return { status: error.status, comment: error.errorComment };
    throw error;
  }
  throw new Error('It was not refused.');
}
const level = (value: string): Dataset => new Dataset().set('QueryRetrieveLevel', value);

describe('D04 the level', () => {
  it('must be one of the information model', () => {
    expect(query(level('STUDY')).level).toBe('STUDY');
    expect(query(level('PATIENT'), { sopClass: patientRootFind }).level).toBe('PATIENT');
    expect(refusal(level('PATIENT'))).toEqual({ status: 0xa900, comment: 'Query/Retrieve Level must be one of STUDY, SERIES, IMAGE' });
    expect(refusal(level('SERIES'), { sopClass: patientStudyOnlyFind }).status).toBe(0xa900);
    expect(refusal(new Dataset().set('PatientID', 'X'))).toEqual({ status: 0xa900, comment: 'Query/Retrieve Level (0008,0052) is missing' });
  });
});

describe('D05 unique keys of the levels above', () => {
  it('must be there, one value each, unless relational queries were negotiated or the archive does without', () => {
    const series = (): Dataset => level('SERIES').set('Modality', 'CT');
    expect(refusal(series()).comment).toBe('SERIES level needs one StudyInstanceUID, or relational queries');
    expect(refusal(series().set('StudyInstanceUID', '1.2\\1.3')).status).toBe(0xa900);
    expect(refusal(level('STUDY'), { sopClass: patientRootFind }).comment).toBe('STUDY level needs one PatientID, or relational queries');
    expect(query(series(), { relational: true }).conditions).toHaveLength(1);
    expect(query(series(), { optional: true }).conditions).toHaveLength(1);
    expect(query(series().set('StudyInstanceUID', '1.2'))).toMatchObject({ scope: { studyInstanceUid: '1.2' }, conditions: [{ path: ['00080060'] }] });
  });
});

describe('what is matched', () => {
  it('is every key with a value, by the kind of its VR', () => {
    const identifier = level('STUDY').set('PatientName', 'DOE*').set('StudyDate', '20200101-').set('StudyInstanceUID', '1.2\\1.3').set('AccessionNumber', '').set('ModalitiesInStudy', '*');
    const { conditions, keys } = query(identifier);
    expect(conditions).toEqual([
      { path: ['00080020'], vr: 'DA', match: { kind: 'range', from: '20200101' } },
      { path: ['00100010'], vr: 'PN', match: { kind: 'values', values: ['DOE*'], wildcards: true } },
      { path: ['0020000D'], vr: 'UI', match: { kind: 'values', values: ['1.2', '1.3'], wildcards: false } },
    ]);
    expect(Object.keys(keys)).toEqual(['00080020', '00080050', '00080061', '00100010', '0020000D']);
  });
  it('looks into the item of a sequence', () => {
    const identifier = level('SERIES').set('StudyInstanceUID', '1.2').set('RequestAttributesSequence', [new Dataset().set('ScheduledProcedureStepID', 'SPS1').set('RequestedProcedureID', '')]);
    expect(query(identifier).conditions).toEqual([{ path: ['00400275', '00400009'], vr: 'SH', match: { kind: 'values', values: ['SPS1'], wildcards: false } }]);
  });
  it('takes a date and a time range together only where that was negotiated', () => {
    const identifier = (): Dataset => level('STUDY').set('StudyDate', '20200101-20200102').set('StudyTime', '1800-0600');
    expect(query(identifier()).combined).toEqual([]);
    expect(query(identifier(), { dateTime: true }).combined).toMatchObject([{ from: '20200101180000.000000', to: '20200102060059.999999' }]);
  });
  it('refuses a value that its VR cannot have, and names the attribute', () => {
    expect(refusal(level('STUDY').set('StudyDate', 'yesterday'))).toEqual({ status: 0xa900, comment: 'The value of StudyDate is no DA value or range' });
  });
});
