// The seam between the network and whoever keeps objects: one sink per C-STORE request (PS3.7 §9.1.1).
import type { RequestOrigin } from './request-origin.js';

export interface StoreRequest extends RequestOrigin {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly moveOriginatorAet: string | undefined;
  readonly moveOriginatorMessageId: number | undefined;
}

export interface StoreOutcome {
  readonly status: number;
  /** At most 64 characters are sent (PS3.7 §C.4: LO); never patient data. */
  readonly errorComment?: string;
}

/**
 * Receives the bytes of one dataset, in order, as they arrive.
 * Of `end` and `abort` exactly one is called, exactly once, and nothing after it.
 */
export interface StoreSink {
  /**
   * The memory of `chunk` is used again as soon as this returns: what is kept must be copied. A returned promise stops the
   * association from reading (and its socket, so the peer) until it settles; no write is made meanwhile.
   * A throw or rejection ends the object: the rest is drained, `abort` is called, the peer gets a failure status.
   */
  write(chunk: Buffer): void | Promise<void>;
  /** All bytes were given. The response leaves when this settles, in the order of the requests. */
  end(): StoreOutcome | Promise<StoreOutcome>;
  /** The association died, or a write failed, before the end. */
  abort(reason: string): void;
}

export interface StoreService {
  /** Throwing a DimseFailure refuses the object with its status; the dataset is drained. */
  begin(request: StoreRequest): StoreSink;
}
