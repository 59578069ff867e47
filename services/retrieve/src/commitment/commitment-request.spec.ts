import { describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { readIdentifier } from '../read-identifier.js';
import { commitmentRequestOf, type CommitmentRequest } from './commitment-request.js';
import { eventInformationOf, eventTypeOf } from './commitment-result.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const request = (information: Dataset): CommitmentRequest => commitmentRequestOf(readIdentifier(writeDataset(information, EXPLICIT), EXPLICIT, undefined));
const reference = (uid: string): Dataset => new Dataset().set('ReferencedSOPClassUID', '1.2.3').set('ReferencedSOPInstanceUID', uid);
const refused = (information: Dataset): unknown => {
  try {
    return request(information);
  } catch (error) {
    return error;
  }
};

describe('D11 a request for commitment', () => {
  it('names a transaction and its objects', () => {
    const information = new Dataset().set('TransactionUID', '1.9').set('ReferencedSOPSequence', [reference('1.1'), reference('1.2')]);
    expect(request(information)).toEqual({ transactionUid: '1.9', references: [{ sopClassUid: '1.2.3', sopInstanceUid: '1.1' }, { sopClassUid: '1.2.3', sopInstanceUid: '1.2' }] });
  });
  it.each([
    ['no transaction', new Dataset().set('ReferencedSOPSequence', [reference('1.1')]), 'Transaction UID (0008,1195) is missing'],
    ['no object', new Dataset().set('TransactionUID', '1.9').set('ReferencedSOPSequence', []), 'Referenced SOP Sequence (0008,1199) has no item'],
    ['half a reference', new Dataset().set('TransactionUID', '1.9').set('ReferencedSOPSequence', [new Dataset().set('ReferencedSOPInstanceUID', '1.1')]), 'A reference lacks its SOP Class or Instance UID'],
  ])('is refused where it has %s', (_, information, errorComment) => {
    expect(refused(information)).toMatchObject({ status: 0x0115, errorComment });
  });
});

describe('D11 the event that tells a result', () => {
  const one = { sopClassUid: '1.2.3', sopInstanceUid: '1.1' };
  it('is of type 1 when nothing failed, and then has no sequence of failures', () => {
    const result = { committed: [one], failed: [] };
    expect(eventTypeOf(result)).toBe(1);
    expect([...eventInformationOf('1.9', 'PERENNIA', result)].map(({ tag }) => tag.toString(16))).toEqual(['80054', '81195', '81199']);
  });
  it('is of type 2 when anything failed, each with its reason', () => {
    const result = { committed: [], failed: [{ ...one, reason: 0x0112 }] };
    expect(eventTypeOf(result)).toBe(2);
    const json = readIdentifier(writeDataset(eventInformationOf('1.9', 'PERENNIA', result), EXPLICIT), EXPLICIT, undefined);
    expect(json['00081198']!.Value).toMatchObject([{ '00081155': { Value: ['1.1'] }, '00081197': { Value: [0x0112] } }]);
    expect(json['00081199']).toBeUndefined();
  });
});
