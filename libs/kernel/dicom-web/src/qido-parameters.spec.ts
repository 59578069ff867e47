import { describe, expect, it } from '@jest/globals';
import { parseQidoParameters } from './qido-parameters.js';

const matchOf = (query: string) => parseQidoParameters(query).conditions[0]?.match;

describe('parseQidoParameters', () => {
  it('W14 knows keywords, hex tags and sequence paths', () => {
    expect(parseQidoParameters('PatientID=1&00100010=A*&RequestAttributesSequence.0040,0009=x'.replace('0040,0009', '00400009')).conditions).toEqual([
      { path: ['00100020'], vr: 'LO', match: { kind: 'values', values: ['1'], wildcards: false } },
      { path: ['00100010'], vr: 'PN', match: { kind: 'values', values: ['A*'], wildcards: true } },
      { path: ['00400275', '00400009'], vr: 'SH', match: { kind: 'values', values: ['x'], wildcards: false } },
    ]);
  });
  it.each([
    ['StudyDate=20240101-20240131', { kind: 'range', from: '20240101', to: '20240131' }],
    ['StudyDate=-20240131', { kind: 'range', to: '20240131' }],
    ['StudyDate=20240101-', { kind: 'range', from: '20240101' }],
    ['StudyDate=20240101', { kind: 'values', values: ['20240101'], wildcards: false }],
    ['StudyDate=2024-01-01', { kind: 'values', values: ['20240101'], wildcards: false }],
    ['StudyTime=07', { kind: 'range', from: '070000.000000', to: '075959.999999' }],
    ['StudyTime=0727-', { kind: 'range', from: '072700.000000' }],
    ['StudyTime=2200-0200', { kind: 'range', from: '220000.000000', to: '020059.999999' }],
    ['StudyTime=072730.5', { kind: 'range', from: '072730.500000', to: '072730.500000' }],
    ['AcquisitionDateTime=20240101-0500-20240102-0500', { kind: 'range', from: '20240101000000.000000', to: '20240102235959.999999' }],
    ['StudyInstanceUID=1.2,1.3', { kind: 'values', values: ['1.2', '1.3'], wildcards: false }],
    ['StudyInstanceUID=1.2%5C1.3', { kind: 'values', values: ['1.2', '1.3'], wildcards: false }],
    ['ModalitiesInStudy=CT,M*', { kind: 'values', values: ['CT', 'M*'], wildcards: true }],
    ['PatientName=M%C3%BCller+*', { kind: 'values', values: ['Müller *'], wildcards: true }],
    ['PatientID=a*****b', { kind: 'values', values: ['a*b'], wildcards: true }],
  ])('reads %s', (query, match) => expect(matchOf(query)).toEqual(match));

  it.each(['PatientName=', 'PatientName=*', 'PatientName=***', 'StudyDate=', 'RequestAttributesSequence='])('returns but does not match %s', (query) => {
    const parsed = parseQidoParameters(query);
    expect(parsed.conditions).toEqual([]);
    expect(parsed.returned).toHaveLength(1);
  });
  it.each([
    'NoSuchThing=1', '__proto__=1', 'constructor=1', 'PatientID=1&PatientID=2', 'PatientID=1&00100020=2', 'limit=1&limit=2', 'limit=-1', 'limit=0', 'limit=x',
    'offset=1.5', 'fuzzymatching=maybe', 'StudyDate=2024', 'StudyDate=20240230', 'StudyTime=99', 'StudyInstanceUID=abc', 'Rows=many', 'PatientID=%ff',
    'PatientName.PatientID=1', 'RequestAttributesSequence=x', 'includefield=Nope', 'cursor=x&offset=0', `PatientID=${'a*'.repeat(20)}`,
    Array.from({ length: 101 }, (_, index) => `includefield=0010${String(index).padStart(4, '0')}`).join('&'),
  ])('refuses %s', (query) => expect(() => parseQidoParameters(query)).toThrow());

  it('combines a date range and a time range into one span, and leaves a single date alone', () => {
    expect(parseQidoParameters('StudyDate=20240101-20240102&StudyTime=2200-0200')).toMatchObject({
      conditions: [],
      combined: [{ datePath: ['00080020'], timePath: ['00080030'], from: '20240101220000.000000', to: '20240102020059.999999' }],
    });
    expect(parseQidoParameters('StudyDate=20240101-&StudyTime=2200-').combined).toEqual([{ datePath: ['00080020'], timePath: ['00080030'], from: '20240101220000.000000' }]);
    expect(parseQidoParameters('StudyDate=20240101&StudyTime=2200-0200').combined).toEqual([]);
  });
  it('reads the controls and says what it ignored', () => {
    expect(parseQidoParameters('limit=5&offset=10&includefield=all,00081030&includefield=PatientAge&fuzzymatching=true&accept=application/json')).toMatchObject({
      limit: 5, offset: 10, includeAll: true, returned: [['00081030'], ['00101010']], accept: 'application/json', warnings: [expect.stringMatching(/fuzzymatching/)],
    });
  });
});
