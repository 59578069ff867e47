export { Abort, describeAbort, type AssociationAbort } from './ul/abort-reason.js';
export { type AcceptorEvent } from './ul/acceptor-event.js';
export { DEFAULT_ACCEPTOR_LIMITS, type AcceptorLimits } from './ul/acceptor-limits.js';
export { DicomAcceptor, type DicomAcceptorOptions } from './ul/acceptor.js';
export { ContextResult, type AssociationAcceptance, type AssociationDecision, type ContextRejection } from './ul/association-decision.js';
export { type AssociationHandover, type BegunConnection } from './ul/association-handover.js';
export {
  AssociationAbortedError, AssociationError, AssociationRejectedError, AssociationTransportError, NoPresentationContextError, RoleNotGrantedError,
} from './ul/association-error.js';
export {
  type AssociationRequest, type CommonExtendedNegotiation, type ExtendedNegotiation, type OperationsWindow, type ProposedContext,
  type RoleSelection, type UserIdentity,
} from './ul/association-request.js';
export { type AssociationView } from './ul/association-view.js';
export { type PeerAddress } from './ul/peer-address.js';
export { describeRejection, Rejection, type AssociationRejection } from './ul/reject-reason.js';
export { DicomRequestor } from './ul/requestor.js';
export { RequestorAssociation, type FindOperation, type GetOperation, type MoveOperation } from './ul/requestor-association.js';
export { type RequestedContext, type RequestorOptions } from './ul/requestor-options.js';
export { SystemTimerSource, TimerSource, type TimerHandle } from './ul/timer-source.js';
export { type UsableContext } from './ul/usable-context.js';
export { DimseFailure } from './dimse/dimse-failure.js';
export { type DimseServices } from './dimse/dimse-services.js';
export { type EchoService } from './dimse/echo-service.js';
export { type RequestOrigin } from './dimse/request-origin.js';
export { DimseStatus, statusCategory, type StatusCategory } from './dimse/status.js';
export { type StoreOperation } from './dimse/store-operation.js';
export { type StoreOutcome, type StoreRequest, type StoreService, type StoreSink } from './dimse/store-service.js';
export { GET_SOP_CLASSES, isQueryRetrieveSopClass, MOVE_SOP_CLASSES, QUERY_SOP_CLASSES, QueryRetrieveSopClass } from './dimse/query-retrieve-sop-class.js';
export { NO_QUERY_EXTENSIONS, proposeQueryExtensions, type QueryExtensions } from './dimse/query-extensions.js';
export { type FindAnswer, type FindOutcome, type FindRequest, type FindService } from './dimse/find-service.js';
export { type FindSearch } from './dimse/find-search.js';
export { type Action, type ActionOperation, type ActionRequest, type ActionService } from './dimse/action-service.js';
export {
  type EventReport, type EventReportOperation, type EventReportRequest, type EventReportService,
} from './dimse/event-report-service.js';
export { type NormalizedOutcome } from './dimse/normalized-outcome.js';
export { StorageCommitment } from './dimse/storage-commitment.js';
export { type Retrieval, type RetrievalOutcome } from './dimse/retrieval.js';
export {
  type GetRequest, type MoveRequest, type RetrieveOutcome, type RetrieveRequest, type RetrieveService, type SubOperations,
} from './dimse/retrieve-service.js';
export { statusOfSubOperations } from './dimse/sub-operations-status.js';
