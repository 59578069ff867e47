// What may be seen and done from outside with an association that an acceptor holds.
import type { PeerAddress } from './peer-address.js';

export interface AssociationView {
  readonly id: number;
  readonly callingAet: string;
  readonly calledAet: string;
  readonly peer: PeerAddress;
  readonly session: unknown;
  /** State of PS3.8 §9.2, for example `Sta6`. */
  readonly state: string;
  /** Operations received and not yet answered. */
  readonly outstandingOperations: number;
  abort(detail: string): void;
}
