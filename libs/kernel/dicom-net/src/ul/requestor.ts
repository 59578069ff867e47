// Opens associations to other nodes and performs C-ECHO and C-STORE on them.
import type { Duplex } from 'node:stream';
import type { StoreOutcome } from '../dimse/store-service.js';
import type { ExtendedNegotiation, OperationsWindow, RoleSelection, UserIdentity } from './association-request.js';
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
  readonly extendedNegotiations?: readonly ExtendedNegotiation[];
  readonly userIdentity?: UserIdentity;
  /** Connection and negotiation together. Default 30 s. */
  readonly associateTimeoutMs?: number;
  /** From the last byte of a request to its response. Default 60 s. */
  readonly responseTimeoutMs?: number;
  readonly timers?: TimerSource;
}

export interface StoreOperation {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly dataset: Buffer | AsyncIterable<Buffer>;
  readonly moveOriginatorAet?: string;
  readonly moveOriginatorMessageId?: number;
}

/** An open association of ours. Operations may be started concurrently; they obey the window the peer granted. */
export interface RequestorAssociation {
  readonly acceptedContexts: readonly { id: number; abstractSyntax: string; transferSyntax: string }[];
  readonly operationsWindow: OperationsWindow;
  readonly peerMaxPduBytes: number;
  store(operation: StoreOperation): Promise<StoreOutcome>;
  echo(): Promise<number>;
  release(): Promise<void>;
  abort(): void;
}

export class DicomRequestor {
  /** Rejects with AssociationRejectedError, AssociationAbortedError or AssociationTransportError. */
  static connect(options: RequestorOptions): Promise<RequestorAssociation> {
    return Promise.reject(new Error(options.host));
  }
}
