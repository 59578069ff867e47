// One C-STORE to be invoked (PS3.7 §9.1.1): what it says, and the object.
import type { StoreRequestFields } from './request.js';

export interface StoreOperation extends StoreRequestFields {
  readonly transferSyntaxUid: string;
  /** Encoded in that transfer syntax, without File Meta Information. What is streamed is asked for as the peer takes it. */
  readonly dataset: Buffer | AsyncIterable<Buffer>;
}
