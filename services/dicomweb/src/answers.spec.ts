import { describe, expect, it } from '@jest/globals';
import { parseAccept } from '@perennia/dicom-web';
import { CorruptDataError, LimitExceededError, NotFoundError, StoreFullError, UnavailableError } from '@perennia/errors';
import { chooseFrameType } from './frames.controller.js';
import { acceptsGzip } from './json-answer.js';
import { toProblem } from './problem-details-map.js';
import { stowReport } from './stow-report.js';

describe('stowReport', () => {
  const good = { outcome: 'stored', receiptId: 'r', bucket: 1, sopClassUid: '1.2', transferSyntaxUid: '1.2.840.10008.1.2.1', sopInstanceUid: '1.3', studyInstanceUid: '1.4', seriesInstanceUid: '1.5' } as const;
  const refused = (reasonCode: 'STORE_FULL' | 'STORE_UNAVAILABLE' | 'NOT_DICOM') => ({ outcome: 'refused', reasonCode, dimseStatus: 0xa700, failureReason: 0xa700, message: 'x' }) as const;
  it.each([[200, [good]], [202, [good, refused('STORE_FULL')]], [409, [refused('NOT_DICOM')]], [507, [refused('STORE_FULL')]], [503, [refused('STORE_FULL'), refused('STORE_UNAVAILABLE')]]] as const)('answers %d', (status, outcomes) => {
    expect(stowReport(outcomes, 'http://x').status).toBe(status);
  });
  it('gives the study’s URL only when there is one study', () => {
    expect(JSON.parse(stowReport([good], 'http://x').body)).toHaveProperty('00081190');
    expect(JSON.parse(stowReport([good, { ...good, studyInstanceUid: '9' }], 'http://x').body)).not.toHaveProperty('00081190');
  });
});

describe('toProblem', () => {
  it.each([[404, new NotFoundError('x')], [413, new LimitExceededError('x')], [507, new StoreFullError('x')], [503, new UnavailableError('x')], [500, new CorruptDataError('x')], [500, new Error('secret')], [414, { statusCode: 414, code: 'FST_ERR_MAX' }]])(
    'gives %d',
    (status, error) => expect(toProblem(error).status).toBe(status),
  );
  it('says nothing of our insides', () => expect(JSON.stringify(toProblem(new Error('secret')))).not.toContain('secret'));
});

describe('chooseFrameType', () => {
  const jpeg = '1.2.840.10008.1.2.4.50';
  it.each<[string, string, boolean, string | null]>([
    ['multipart/related; type="application/octet-stream"', '1.2.840.10008.1.2', false, 'application/octet-stream'],
    ['multipart/related; type="application/octet-stream"', jpeg, false, null],
    ['multipart/related; type="application/octet-stream"; transfer-syntax=*', jpeg, false, 'application/octet-stream'],
    [`multipart/related; type="image/jpeg"; transfer-syntax=${jpeg}`, jpeg, false, 'image/jpeg'],
    ['*/*', jpeg, false, 'image/jpeg'],
    ['image/jpeg', jpeg, true, 'image/jpeg'],
    ['image/jpeg', jpeg, false, null],
    ['image/png', jpeg, true, null],
  ])('W06 for %s of %s', (accept, syntax, single, expected) => {
    const choose = () => chooseFrameType(parseAccept(accept), syntax, single);
    if (expected === null) expect(choose).toThrow(/as they are stored/);
    else expect(choose().frameType).toBe(expected);
  });
});

describe('acceptsGzip', () => {
  it.each([['gzip', true], ['br, gzip;q=0.5', true], ['*', true], ['gzip;q=0', false], ['identity', false], [undefined, false]])('%s: %s', (header, expected) => {
    expect(acceptsGzip({ headers: header === undefined ? {} : { 'accept-encoding': header } })).toBe(expected);
  });
});
