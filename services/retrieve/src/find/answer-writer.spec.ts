import { describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { NO_QUERY_EXTENSIONS, QueryRetrieveSopClass } from '@perennia/dicom-net';
import { AnswerWriter } from './answer-writer.js';
import { findQueryOf } from './find-query.js';
import { readIdentifier } from '../read-identifier.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const FOUND = {
  '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Jürgen' }] },
  '00100020': { vr: 'LO', Value: ['P1'] },
  '00200010': { vr: 'SH', Value: ['not asked for'] },
  '00400275': { vr: 'SQ', Value: [{ '00400009': { vr: 'SH', Value: ['S1'] }, '00400007': { vr: 'LO', Value: ['not asked for'] } }] },
};

function answer(identifier: Dataset, found = FOUND, ignoredCondition = false) {
  const json = readIdentifier(writeDataset(identifier, EXPLICIT), EXPLICIT, undefined);
  const query = findQueryOf(QueryRetrieveSopClass.studyRootFind, json, { extensions: NO_QUERY_EXTENSIONS, upperKeysOptional: true });
  const { identifier: bytes, status } = new AnswerWriter({ query, transferSyntaxUid: EXPLICIT, aeTitle: 'PERENNIA', ignoredCondition }).write(found);
  return { status, bytes, dataset: readIdentifier(bytes, EXPLICIT, undefined) };
}
const study = (): Dataset => new Dataset().set('QueryRetrieveLevel', 'STUDY').set('PatientID', '').set('PatientName', '').set('AccessionNumber', '');

describe('the identifier of a match', () => {
  it('has the keys that were asked for, and what every answer says of itself', () => {
    const { dataset, status } = answer(study());
    expect(status).toBe(0xff00);
    expect(Object.keys(dataset)).toEqual(['00080005', '00080050', '00080052', '00080054', '00080056', '00100010', '00100020']);
    expect(dataset).toMatchObject({
      '00080050': { vr: 'SH' }, '00080052': { Value: ['STUDY'] }, '00080054': { Value: ['PERENNIA'] }, '00080056': { Value: ['ONLINE'] }, '00100010': FOUND['00100010'],
    });
    expect(dataset['00080050']).not.toHaveProperty('Value');
  });
  it('D04 is FF01 where a key is asked for that nothing is kept of, or a condition was ignored', () => {
    const { dataset, status } = answer(study().set('PatientComments', ''));
    expect(status).toBe(0xff01);
    expect(dataset['00104000']).toEqual({ vr: 'LT' });
    expect(answer(study(), FOUND, true).status).toBe(0xff01);
    // An attribute of a level below.
    expect(answer(study().set('Modality', '')).status).toBe(0xff01);
  });
  it('has of sequences the attributes that were asked for', () => {
    const asked = new Dataset().set('ScheduledProcedureStepID', '').set('RequestedProcedureID', '');
    const { dataset } = answer(study().set('RequestAttributesSequence', [asked]));
    expect(dataset['00400275']).toEqual({ vr: 'SQ', Value: [{ '00400009': { vr: 'SH', Value: ['S1'] }, '00401001': { vr: 'SH' } }] });
  });
});

describe('the character set of answers', () => {
  it.each([
    ['ISO_IR 100', 'ISO_IR 100', Buffer.from('Müller^Jürgen', 'latin1')],
    ['ISO_IR 192', 'ISO_IR 192', Buffer.from('Müller^Jürgen', 'utf8')],
    ['ISO_IR 144', 'ISO_IR 192', Buffer.from('Müller^Jürgen', 'utf8')],
    ['ISO 2022 IR 87', 'ISO_IR 192', Buffer.from('Müller^Jürgen', 'utf8')],
  ])('given %s, then it is %s', (asked, given, name) => {
    const { bytes, dataset } = answer(study().set('SpecificCharacterSet', asked));
    expect(dataset['00080005']).toEqual({ vr: 'CS', Value: [given] });
    expect(bytes.includes(name)).toBe(true);
  });
  it('is not told where nobody asked and everything is ASCII', () => {
    const { dataset } = answer(study(), { ...FOUND, '00100010': { vr: 'PN', Value: [{ Alphabetic: 'DOE^JOHN' }] } });
    expect(dataset).not.toHaveProperty('00080005');
  });
});
