import { describe, expect, it } from '@jest/globals';
import { LOOPBACK_PROFILE, SourceProfiles, sourceProfileSchema } from './source-profile.js';

const profile = (differences: object) => sourceProfileSchema.parse({ name: 'source', ...differences });

describe('SourceProfiles', () => {
  it('accepts any calling AE from this machine, and nobody else, when nothing is listed', () => {
    const sources = new SourceProfiles([]);
    for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
      expect(sources.match({ callingAet: 'ANY', calledAet: 'PERENNIA', address })).toBe(LOOPBACK_PROFILE);
    }
    for (const address of ['10.0.0.1', '192.168.1.1', '2001:db8::1', '::ffff:10.0.0.1']) {
      expect(sources.match({ callingAet: 'ANY', calledAet: 'PERENNIA', address })).toBe('address');
    }
  });

  it('drops the default profile as soon as one source is listed', () => {
    const sources = new SourceProfiles([profile({ addresses: ['10.1.0.0/16'] })]);
    expect(sources.match({ callingAet: 'A', calledAet: 'B', address: '127.0.0.1' })).toBe('address');
    expect(sources.match({ callingAet: 'A', calledAet: 'B', address: '10.1.255.3' })).toMatchObject({ name: 'source' });
  });

  it('says which fact is unknown', () => {
    const sources = new SourceProfiles([profile({ callingAets: ['CT1'], calledAets: ['ARCHIVE'] })]);
    expect(sources.match({ callingAet: 'CT1', calledAet: 'OTHER', address: '10.0.0.1' })).toBe('calledAet');
    expect(sources.match({ callingAet: 'CT2', calledAet: 'ARCHIVE', address: '10.0.0.1' })).toBe('callingAet');
    expect(sources.match({ callingAet: 'CT1', calledAet: 'ARCHIVE', address: '10.0.0.1' })).toMatchObject({ name: 'source' });
  });

  it('takes the first of several that fit', () => {
    const sources = new SourceProfiles([profile({ name: 'first', callingAets: ['CT1'] }), profile({ name: 'second' })]);
    expect(sources.match({ callingAet: 'CT1', calledAet: 'X', address: '10.0.0.1' })).toMatchObject({ name: 'first' });
    expect(sources.match({ callingAet: 'CT2', calledAet: 'X', address: '10.0.0.1' })).toMatchObject({ name: 'second' });
  });
});
