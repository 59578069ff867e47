// What a request for changes asks for: `since`, a cursor or `latest`, and `limit`. Last-Event-ID, which browsers send when they connect again, wins over `since`.
import { FEED_START } from '@perennia/catalog-query';
import { DicomWebError, splitQuery } from '@perennia/dicom-web';

export interface ChangesRequest {
  /** Number of the last change that the client has; `latest`: it wants only what is to come; absent: it does not say. */
  since?: number | 'latest';
  /** Most changes of a page. */
  limit: number;
}

export const DEFAULT_CHANGES = 100;
export const MAX_CHANGES = 1000;

/**
 * @param query what follows the question mark, still encoded
 * @throws DicomWebError for a parameter that is unknown, repeated or no number
 */
export function parseChangesRequest(query: string, lastEventId: string | undefined): ChangesRequest {
  const given = new Map<string, string>();
  for (const [name, value] of splitQuery(query)) {
    if (!['since', 'limit', 'accept'].includes(name)) throw new DicomWebError('syntax', 'The change feed takes since and limit');
    if (given.has(name)) throw new DicomWebError('syntax', `${name} is given twice`);
    given.set(name, value);
  }
  const since = lastEventId ?? given.get('since');
  const limit = countOf('limit', given.get('limit') ?? String(DEFAULT_CHANGES));
  if (limit < 1) throw new DicomWebError('syntax', 'limit must be at least 1');
  return { ...(since === undefined ? {} : { since: since === 'latest' ? since : countOf('since', since) }), limit: Math.min(limit, MAX_CHANGES) };
}

function countOf(name: string, text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value < FEED_START) throw new DicomWebError('syntax', `${name} must be a whole number of at most 15 digits`);
  return value;
}
