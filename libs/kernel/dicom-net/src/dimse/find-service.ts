// The seam between the network and whoever searches: one stream of matches per C-FIND request (PS3.7 §9.1.2, PS3.4 §C.4.1).
import type { QueryExtensions } from './query-extensions.js';
import type { RequestOrigin } from './request-origin.js';

export interface FindRequest extends RequestOrigin {
  readonly sopClassUid: string;
  /** Of the identifier, and to be that of every answer. */
  readonly transferSyntaxUid: string;
  /** As negotiated for this SOP class on this association. */
  readonly extensions: QueryExtensions;
  /** Aborted by a C-CANCEL, and when the association ends: let go of everything at once, nobody waits for it. */
  readonly signal: AbortSignal;
}

/** One match. */
export interface FindAnswer {
  /** A whole dataset, encoded; its memory is the network's from now on. */
  readonly identifier: Buffer;
  /** FF00, unless FF01 says that an optional key was not supported. */
  readonly status?: 0xff00 | 0xff01;
}

export interface FindOutcome {
  /** Of any category but pending. */
  readonly status: number;
  /** At most 64 characters are sent (PS3.7 §C.4: LO); never patient data. */
  readonly errorComment?: string;
}

export interface FindService {
  /** Those it answers for. C-FIND on an accepted context of any other is answered 0211. */
  readonly sopClassUids: ReadonlySet<string>;
  /**
   * Yields the matches, each when the peer has room for it, and returns the outcome; returning nothing is success. A DimseFailure
   * thrown at any time is the outcome, any other error C000. When the signal is aborted the stream is left, without waiting for the
   * match that is being made: `return` is called on it, as with a `break` out of `for await`.
   */
  find(request: FindRequest, identifier: Buffer): AsyncIterable<FindAnswer, FindOutcome | void>;
}
