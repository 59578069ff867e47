import { describe, expect, it } from '@jest/globals';
import { groupsFor, roleNames } from './process-groups.js';

describe('groupsFor', () => {
  it('given all roles, then reception, background work and web are apart', () => {
    expect(groupsFor(roleNames).map(({ name, roles }) => [name, ...roles])).toEqual([['ingest', 'ingest'], ['worker', 'indexing', 'lifecycle'], ['web', 'dicomweb']]);
  });
  it('given some roles, then only their processes run', () => {
    expect(groupsFor(['lifecycle']).map(({ name, roles }) => [name, ...roles])).toEqual([['worker', 'lifecycle']]);
  });
});
