// Where a request came from, whatever it asks for.
import type { PeerAddress } from '../ul/peer-address.js';

export interface RequestOrigin {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly peer: PeerAddress;
  readonly associationId: number;
  readonly messageId: number;
  /** What the application attached when it accepted the association. */
  readonly session: unknown;
}
