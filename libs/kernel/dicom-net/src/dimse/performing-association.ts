// The association whose requests are performed: what requests learn of it, and what performing asks of it.
import type { AssociationAbort } from '../ul/abort-reason.js';
import type { PeerAddress } from '../ul/peer-address.js';
import type { TimerSource } from '../ul/timer-source.js';
import type { HoldReason } from '../ul/upper-layer.js';
import type { UsableContext } from '../ul/usable-context.js';
import type { EventReportOperation } from './event-report-service.js';
import type { NormalizedOutcome } from './normalized-outcome.js';
import type { RetrieveLimits } from './retrieve.js';
import type { StoreOperation } from './store-operation.js';
import type { StoreOutcome } from './store-service.js';

export interface PerformingLimits extends RetrieveLimits {
  /** Of an N-ACTION or N-EVENT-REPORT. */
  readonly maxInformationBytes: number;
}

export interface PerformingAssociation {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly peer: PeerAddress;
  readonly associationId: number;
  readonly session: unknown;
  readonly limits: PerformingLimits;
  readonly timers: TimerSource;
  /** On which C-STORE may be invoked. */
  readonly storageContexts: readonly UsableContext[];
  /** @throws NoPresentationContextError, AssociationError, the reason of the signal when it is aborted before anything has left */
  store(operation: StoreOperation, signal: AbortSignal): Promise<StoreOutcome>;
  /** @throws RoleNotGrantedError, AssociationError */
  report(operation: EventReportOperation): Promise<NormalizedOutcome>;
  fault(abort: AssociationAbort, detail: string): void;
  /** Nothing more is read, until `resumeReading` for the same reason. */
  pauseReading(reason: HoldReason): void;
  resumeReading(reason: HoldReason): void;
  /** An operation was answered. */
  answered(): void;
  /** A request was answered with a status of ours before any service saw it. */
  operationRefused(commandField: number, status: number): void;
  /** A service threw something that is not a DimseFailure. */
  operationFailed(error: unknown): void;
}
