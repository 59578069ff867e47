import { describe, expect, it } from '@jest/globals';
import { groupsFor, landingOwnerOf, roleNames } from './process-groups.js';

describe('groupsFor', () => {
  it('given all roles, then reception, background work and web are apart', () => {
    expect(groupsFor(roleNames).map(({ name, roles }) => [name, ...roles])).toEqual([['ingest', 'ingest'], ['worker', 'indexing', 'lifecycle'], ['web', 'dicomweb', 'retrieve']]);
  });
  it('given some roles, then only their processes run', () => {
    expect(groupsFor(['lifecycle']).map(({ name, roles }) => [name, ...roles])).toEqual([['worker', 'lifecycle']]);
  });
});

describe('landingOwnerOf', () => {
  const areaOf = (roles: (typeof roleNames)[number][]): string | undefined => landingOwnerOf(groupsFor(roles)[0]!, '1');
  it('given services apart with the same instance name, then each has an area of its own', () => {
    expect([areaOf(['ingest']), areaOf(['dicomweb']), areaOf(['retrieve']), areaOf(['lifecycle'])]).toEqual(['ingest-1', 'web-1', 'retrieve-1', undefined]);
  });
});
