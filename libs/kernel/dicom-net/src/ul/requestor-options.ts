// What an association of ours is opened with.
import type { Duplex } from 'node:stream';
import type { DimseServices } from '../dimse/dimse-services.js';
import type { ExtendedNegotiation, OperationsWindow, RoleSelection, UserIdentity } from './association-request.js';
import type { Implementation } from './negotiation.js';
import type { TimerSource } from './timer-source.js';

export interface RequestedContext {
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

export interface RequestorOptions {
  readonly host: string;
  readonly port: number;
  /** Makes the connected transport, for TLS or tests; plain TCP to host and port when absent. */
  connect?(): Duplex | Promise<Duplex>;
  readonly callingAet: string;
  readonly calledAet: string;
  /** At most 128. */
  readonly contexts: readonly RequestedContext[];
  /** Largest P-DATA PDU we take. Default 131072. */
  readonly maxPduBytes?: number;
  readonly operationsWindow?: OperationsWindow;
  readonly roles?: readonly RoleSelection[];
  /** For queries see `proposeQueryExtensions`. */
  readonly extendedNegotiations?: readonly ExtendedNegotiation[];
  readonly userIdentity?: UserIdentity;
  /**
   * What the peer may ask of us: C-STORE where we take the role of an SCP (`roles`), as C-GET needs it, and N-EVENT-REPORT where we are the SCU.
   * AE titles that requests tell are those of the association: the called one is the peer's.
   */
  readonly services?: DimseServices;
  /** A service threw something that is not a DimseFailure: a defect of ours, the peer got a defined answer. */
  onFailure?(error: unknown): void;
  readonly implementation?: Implementation;
  /** Connecting and negotiating, each. Default 30 s. */
  readonly associateTimeoutMs?: number;
  /** Without any byte from the peer while an answer is owed. Default 60 s. */
  readonly responseTimeoutMs?: number;
  readonly timers?: TimerSource;
}
