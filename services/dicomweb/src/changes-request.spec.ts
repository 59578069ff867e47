import { describe, expect, it } from '@jest/globals';
import { parseChangesRequest } from './changes-request.js';

describe('parseChangesRequest', () => {
  it.each<[string, string | undefined, object]>([
    ['', undefined, { limit: 100 }], ['since=12&limit=5', undefined, { since: 12, limit: 5 }], ['since=latest', undefined, { since: 'latest', limit: 100 }],
    ['since=12', '40', { since: 40, limit: 100 }], ['limit=100000', undefined, { limit: 1000 }], ['accept=application/json', undefined, { limit: 100 }],
  ])('E01 reads %j, Last-Event-ID %j', (query, lastEventId, expected) => expect(parseChangesRequest(query, lastEventId)).toEqual(expected));
  it.each([['since=x', undefined], ['since=-1', undefined], ['since=1&since=2', undefined], ['limit=0', undefined], ['offset=1', undefined], ['since=1234567890123456', undefined], ['', 'abc']])(
    'E01 refuses %j, Last-Event-ID %j', (query, lastEventId) => expect(() => parseChangesRequest(query, lastEventId)).toThrow(/since|limit/));
});
