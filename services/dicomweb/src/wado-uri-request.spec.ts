import { describe, expect, it } from '@jest/globals';
import { parseWadoUri } from './wado-uri-request.js';

const uids = 'studyUID=1.2&seriesUID=1.3&objectUID=1.4';
const whole = `requestType=WADO&${uids}&contentType=application%2Fdicom`;

describe('parseWadoUri', () => {
  it('W11 reads UIDs, media type and transfer syntax', () => {
    expect(parseWadoUri(`${whole}&transferSyntax=1.2.840.10008.1.2`, 'image/png')).toEqual({
      studyInstanceUid: '1.2', seriesInstanceUid: '1.3', sopInstanceUid: '1.4', ranges: [{ mediaType: 'application/dicom', quality: 1, transferSyntax: '1.2.840.10008.1.2' }],
    });
  });
  it.each([
    ['contentType', whole, '*/*'],
    ['a list in contentType', `requestType=WADO&${uids}&contentType=image/jpeg,application/dicom;q=0.5`, undefined],
    ['Accept where contentType is absent', `requestType=WADO&${uids}`, 'image/jpeg, application/dicom'],
  ])('W11 takes application/dicom from %s, as stored when no transfer syntax is named', (_, query, accept) => {
    expect(parseWadoUri(query, accept).ranges).toMatchObject([{ mediaType: 'application/dicom', transferSyntax: '*' }]);
  });
  it.each([
    ['syntax', uids], ['syntax', whole.replace('WADO', 'wado')], ['syntax', whole.replace('objectUID=1.4', 'objectUID=x')], ['syntax', whole.replace('seriesUID=1.3&', '')],
    ['syntax', `${whole}&studyUID=1.2`], ['syntax', `${whole}&transferSyntax=jpeg`], ['syntax', `${whole}&anonymize=yes`],
    ['unacceptable', `requestType=WADO&${uids}`], ['unacceptable', `requestType=WADO&${uids}&contentType=image/jpeg`], ['unacceptable', `requestType=WADO&${uids}&contentType=application/dicom;q=0`],
  ])('W11 refuses (%s) %s', (reason, query) => {
    expect(() => parseWadoUri(query, undefined)).toThrow(expect.objectContaining({ reason }) as unknown as Error);
  });
});
