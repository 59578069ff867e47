// Decides what each DIMSE request gets: a service, or the status PS3.7 has for it. Knows nothing of sockets.
import type { AcceptedContext } from '../ul/negotiation.js';
import type { ActionService } from './action-service.js';
import type { AnswerStream, StreamedOperation } from './answer-stream.js';
import { CommandField } from './command-field.js';
import type { CommandSet } from './command-set.js';
import { type DatasetReceiver, DatasetDrain } from './dataset-receiver.js';
import type { DimseServices } from './dimse-services.js';
import { performEcho } from './echo.js';
import type { EventReportOperation, EventReportService } from './event-report-service.js';
import { FindReception } from './find.js';
import type { FindService } from './find-service.js';
import type { PerformingAssociation } from './performing-association.js';
import { NormalizedReception } from './normalized.js';
import type { NormalizedOutcome } from './normalized-outcome.js';
import { refusalOf } from './operation-refusal.js';
import { priorityOf } from './request.js';
import type { RequestOrigin } from './request-origin.js';
import { RetrieveReception } from './retrieve.js';
import type { GetRequest, MoveRequest, RetrieveOutcome, RetrieveRequest, RetrieveService, SubOperations } from './retrieve-service.js';
import { StoreReception } from './store.js';
import type { StoreService } from './store-service.js';

export interface OperationObserver {
  /** @param reply a dataset that goes with it */
  answer(status: number, errorComment?: string, reply?: Buffer): void;
  refused(command: CommandSet, status: number): void;
  failed(error: unknown): void;
  /** The operation has more than one answer: they leave as they come, the final one too, and a C-CANCEL finds it. */
  stream(operation: StreamedOperation): AnswerStream;
}

/**
 * Starts the operation. Returns who takes the dataset, when one follows.
 * @param refusal status that the request is to be answered with, whatever it asks for
 */
export function dispatchOperation(
  services: DimseServices, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, refusal: number | null, observer: OperationObserver,
): DatasetReceiver | null {
  const status = refusal ?? refusalOf(services, context, command);
  if (status !== null) {
    return afterDataset(command, () => {
      observer.refused(command, status);
      observer.answer(status);
    });
  }
  const { echo, store, find, move, get, action, eventReport } = services;
  switch (command.commandField) {
    case CommandField.cStoreRq: return store ? receiveStore(store, caller, context, command, observer) : null;
    case CommandField.cFindRq: return find ? receiveFind(find, caller, context, command, observer) : null;
    case CommandField.cMoveRq: return move ? receiveMove(move, caller, context, command, observer) : null;
    case CommandField.cGetRq: return get ? receiveGet(get, caller, context, command, observer) : null;
    case CommandField.nActionRq: return action ? receiveAction(action, caller, context, command, observer) : null;
    case CommandField.nEventReportRq: return eventReport ? receiveEventReport(eventReport, caller, context, command, observer) : null;
    default: return afterDataset(command, () => {
      if (echo) performEcho(echo, originOf(caller, command), (answer) => observer.answer(answer), (error) => observer.failed(error));
    });
  }
}

/** A dataset that nobody wants is read and forgotten. */
function afterDataset(command: CommandSet, go: () => void): DatasetReceiver | null {
  if (command.hasDataset) return new DatasetDrain(go);
  go();
  return null;
}

/** And nothing else of the association. */
function originOf(caller: PerformingAssociation, command: CommandSet): RequestOrigin {
  const { callingAet, calledAet, peer, associationId, session } = caller;
  return { callingAet, calledAet, peer, associationId, messageId: command.messageId, session };
}

function receiveStore(
  service: StoreService, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
): StoreReception {
  const request = {
    sopClassUid: command.affectedSopClassUid,
    sopInstanceUid: command.affectedSopInstanceUid,
    transferSyntaxUid: context.transferSyntax,
    callingAet: caller.callingAet,
    calledAet: caller.calledAet,
    peer: caller.peer,
    associationId: caller.associationId,
    messageId: command.messageId,
    moveOriginatorAet: command.moveOriginatorAet || undefined,
    moveOriginatorMessageId: command.moveOriginatorMessageId < 0 ? undefined : command.moveOriginatorMessageId,
    session: caller.session,
  };
  return new StoreReception(service, request, {
    settled: (outcome) => observer.answer(outcome.status, outcome.errorComment),
    failed: (error) => observer.failed(error),
  });
}

function receiveFind(
  service: FindService, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
): FindReception {
  return new FindReception({
    service,
    request: { ...originOf(caller, command), sopClassUid: command.affectedSopClassUid, transferSyntaxUid: context.transferSyntax, extensions: context.queryExtensions },
    maxIdentifierBytes: caller.limits.maxIdentifierBytes,
    stream: (operation) => observer.stream(operation),
    refused: (status) => observer.refused(command, status),
    failed: (error) => observer.failed(error),
  });
}

function receiveMove(
  service: RetrieveService<MoveRequest>, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
): RetrieveReception {
  const { moveDestination } = command;
  return receiveRetrieve(caller, context, command, observer, (request, identifier) => service.retrieve({ ...request, moveDestination }, identifier));
}

function receiveGet(
  service: RetrieveService<GetRequest>, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
): RetrieveReception {
  const reception = receiveRetrieve(caller, context, command, observer, (request, identifier) => service.retrieve({
    ...request,
    storageContexts: caller.storageContexts,
    store: (operation) => reception.invoke((signal) => caller.store(operation, signal)),
  }, identifier));
  return reception;
}

function receiveRetrieve(
  caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
  retrieve: (request: RetrieveRequest, identifier: Buffer) => AsyncIterable<SubOperations, RetrieveOutcome>,
): RetrieveReception {
  const { transferSyntax: transferSyntaxUid } = context;
  const request = { ...originOf(caller, command), sopClassUid: command.affectedSopClassUid, transferSyntaxUid, priority: priorityOf(command.priority) };
  return new RetrieveReception({
    transferSyntaxUid,
    limits: caller.limits,
    timers: caller.timers,
    retrieve: (identifier, signal) => retrieve({ ...request, signal }, identifier),
    stream: (operation) => observer.stream(operation),
    refused: (status) => observer.refused(command, status),
    failed: (error) => observer.failed(error),
  });
}

function receiveAction(
  service: ActionService, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
): DatasetReceiver | null {
  const { requestedSopClassUid: sopClassUid, requestedSopInstanceUid: sopInstanceUid, actionTypeId } = command;
  const request = {
    ...originOf(caller, command), sopClassUid, sopInstanceUid, actionTypeId, transferSyntaxUid: context.transferSyntax,
    report: (operation: EventReportOperation) => caller.report(operation),
  };
  return receiveNormalized(caller, command, observer, (information) => service.perform(request, information));
}

function receiveEventReport(
  service: EventReportService, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
): DatasetReceiver | null {
  const { affectedSopClassUid: sopClassUid, affectedSopInstanceUid: sopInstanceUid, eventTypeId } = command;
  const request = { ...originOf(caller, command), sopClassUid, sopInstanceUid, eventTypeId, transferSyntaxUid: context.transferSyntax };
  return receiveNormalized(caller, command, observer, (information) => service.receive(request, information));
}

function receiveNormalized(
  caller: PerformingAssociation, command: CommandSet, observer: OperationObserver,
  perform: (information: Buffer | null) => NormalizedOutcome | Promise<NormalizedOutcome>,
): DatasetReceiver | null {
  const reception = new NormalizedReception({
    maxInformationBytes: caller.limits.maxInformationBytes,
    perform,
    answer: ({ status, errorComment, reply }) => observer.answer(status, errorComment, reply),
    refused: (status) => observer.refused(command, status),
    failed: (error) => observer.failed(error),
  });
  if (command.hasDataset) return reception;
  void reception.perform(null);
  return null;
}
