// The seam between the network and whoever sends objects for a peer: one stream of progress per C-MOVE or C-GET request (PS3.7 §9.1.4, §9.1.3;
// PS3.4 §C.4.2, §C.4.3).
import type { UsableContext } from '../ul/usable-context.js';
import type { RequestOrigin } from './request-origin.js';
import type { StoreOperation } from './store-operation.js';
import type { StoreOutcome } from './store-service.js';

/** Numbers of C-STORE sub-operations (PS3.7 Table 9.1-3 and 9.1-4). */
export interface SubOperations {
  readonly remaining: number;
  readonly completed: number;
  readonly failed: number;
  /** Completed with a warning. */
  readonly warning: number;
}

export interface RetrieveRequest extends RequestOrigin {
  readonly sopClassUid: string;
  /** Of the identifier. */
  readonly transferSyntaxUid: string;
  readonly priority: 'low' | 'medium' | 'high';
  /** Aborted by a C-CANCEL, and when the association ends. After a C-CANCEL there is a moment to say what was done. */
  readonly signal: AbortSignal;
}

export interface MoveRequest extends RetrieveRequest {
  /** AE title that the objects are to go to; '' where the request has none. */
  readonly moveDestination: string;
}

export interface GetRequest extends RetrieveRequest {
  /** Those for which the peer was granted the role of an SCP (PS3.7 §D.3.3.4): what else it asks for cannot be sent. */
  readonly storageContexts: readonly UsableContext[];
  /**
   * Sends one object on the association of the request. It is read as fast as the peer takes it; calls may overlap, as many are under way as the
   * peer performs at once. A failure status is an outcome. A dataset that fails once some of it has left ends the association.
   * @throws NoPresentationContextError where SOP class and transfer syntax are not among the storage contexts; AssociationError when the
   *   association ends; the reason of the signal when it was aborted before anything was sent; what a dataset throws before any of it has left
   */
  store(operation: StoreOperation): Promise<StoreOutcome>;
}

export interface RetrieveOutcome {
  readonly completed: number;
  readonly failed: number;
  readonly warning: number;
  /** Told to the peer when it cancelled. */
  readonly remaining?: number;
  /** Told to the peer with a warning, a failure or a cancel. */
  readonly failedSopInstanceUids?: readonly string[];
  /** Of any category but pending. Where there is none it follows from the numbers: see `statusOfSubOperations`. */
  readonly status?: number;
  /** At most 64 characters are sent (PS3.7 §C.4: LO); never patient data. */
  readonly errorComment?: string;
}

export interface RetrieveService<Request extends RetrieveRequest> {
  /** Those it answers for. A request on an accepted context of any other is answered 0211. */
  readonly sopClassUids: ReadonlySet<string>;
  /**
   * Yields progress whenever there is some: the peer is told the first at once, and then at most one in each interval, the newest. Nothing is
   * told that was not yielded: the same numbers once more keep a peer patient while one object takes long. Returns the outcome. A DimseFailure
   * thrown at any time is the outcome, with the numbers of the progress before; any other error is C000. A cancelled retrieval is answered FE00,
   * with what it returns in `cancelGraceMs`, else with the numbers of the progress before. When the association ends `return` is called, as with
   * a `break` out of `for await`.
   */
  retrieve(request: Request, identifier: Buffer): AsyncIterable<SubOperations, RetrieveOutcome>;
}
