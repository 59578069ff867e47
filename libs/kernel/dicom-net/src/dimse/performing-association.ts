// The association whose requests are performed: what requests learn of it, and what performing asks of it.
import type { AssociationAbort } from '../ul/abort-reason.js';
import type { PeerAddress } from '../ul/peer-address.js';
import type { HoldReason } from '../ul/upper-layer.js';

export interface PerformingAssociation {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly peer: PeerAddress;
  readonly associationId: number;
  readonly session: unknown;
  /** Largest identifier of a query. */
  readonly maxIdentifierBytes: number;
  fault(abort: AssociationAbort, detail: string): void;
  /** Nothing more is read, until `release`. */
  hold(reason: HoldReason): void;
  release(reason: HoldReason): void;
  /** An operation was answered. */
  answered(): void;
  /** A request was answered with a status of ours before any service saw it. */
  operationRefused(commandField: number, status: number): void;
  /** A service threw something that is not a DimseFailure. */
  operationFailed(error: unknown): void;
}
