// Decides what each DIMSE request gets: a service, or the status PS3.7 has for it. Knows nothing of sockets.
import type { AcceptedContext } from '../ul/negotiation.js';
import type { AnswerStream, StreamedOperation } from './answer-stream.js';
import { CommandField } from './command-field.js';
import type { CommandSet } from './command-set.js';
import { type DatasetReceiver, DatasetDrain } from './dataset-receiver.js';
import type { DimseServices } from './dimse-services.js';
import { performEcho } from './echo.js';
import { FindReception } from './find.js';
import type { FindService } from './find-service.js';
import type { PerformingAssociation } from './performing-association.js';
import type { RequestOrigin } from './request-origin.js';
import { DimseStatus } from './status.js';
import { StoreReception } from './store.js';

export interface OperationObserver {
  answer(status: number, errorComment?: string): void;
  refused(command: CommandSet, status: number): void;
  failed(error: unknown): void;
  /** The operation has more than one answer: they leave as they come, the final one too, and a C-CANCEL finds it. */
  stream(operation: StreamedOperation): AnswerStream;
}

/** Starts the operation. Returns who takes the dataset, when one follows. */
export function dispatchOperation(
  services: DimseServices, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, isDuplicate: boolean, observer: OperationObserver,
): DatasetReceiver | null {
  const refusal = isDuplicate ? DimseStatus.duplicateInvocation : refusalOf(services, context, command);
  if (refusal !== null) {
    const refuse = (): void => {
      observer.refused(command, refusal);
      observer.answer(refusal);
    };
    if (command.hasDataset) return new DatasetDrain(refuse);
    refuse();
    return null;
  }
  if (command.commandField === CommandField.cStoreRq && services.store) {
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
    return new StoreReception(services.store, request, {
      settled: (outcome) => observer.answer(outcome.status, outcome.errorComment),
      failed: (error) => observer.failed(error),
    });
  }
  if (command.commandField === CommandField.cFindRq && services.find) return receiveFind(services.find, caller, context, command, observer);
  const echo = services.echo;
  if (!echo) return null;
  const perform = (): void => {
    performEcho(echo, originOf(caller, command), (status) => observer.answer(status), (error) => observer.failed(error));
  };
  // C-ECHO has no dataset; one that comes all the same is read and forgotten.
  if (command.hasDataset) return new DatasetDrain(perform);
  perform();
  return null;
}

/** And nothing else of the association. */
function originOf(caller: PerformingAssociation, command: CommandSet): RequestOrigin {
  const { callingAet, calledAet, peer, associationId, session } = caller;
  return { callingAet, calledAet, peer, associationId, messageId: command.messageId, session };
}

function receiveFind(
  service: FindService, caller: PerformingAssociation, context: AcceptedContext, command: CommandSet, observer: OperationObserver,
): FindReception {
  return new FindReception({
    service,
    request: { ...originOf(caller, command), sopClassUid: command.affectedSopClassUid, transferSyntaxUid: context.transferSyntax, extensions: context.queryExtensions },
    maxIdentifierBytes: caller.maxIdentifierBytes,
    stream: (operation) => observer.stream(operation),
    refused: (status) => observer.refused(command, status),
    failed: (error) => observer.failed(error),
  });
}

function refusalOf(services: DimseServices, context: AcceptedContext, command: CommandSet): number | null {
  const { commandField } = command;
  const isStore = commandField === CommandField.cStoreRq && services.store !== undefined;
  const isEcho = commandField === CommandField.cEchoRq && services.echo !== undefined;
  const isFind = commandField === CommandField.cFindRq && services.find !== undefined;
  if (!isStore && !isEcho && !isFind) return DimseStatus.unrecognizedOperation;
  if (!context.peerIsScu) return DimseStatus.unrecognizedOperation;
  if (command.affectedSopClassUid !== context.abstractSyntax) return DimseStatus.sopClassNotSupported;
  if (isStore && context.isQueryRetrieve) return DimseStatus.unrecognizedOperation;
  if (isFind && !services.find?.sopClassUids.has(context.abstractSyntax)) return DimseStatus.unrecognizedOperation;
  if (isStore && !command.hasDataset) return DimseStatus.cannotUnderstand;
  if (isFind && !command.hasDataset) return DimseStatus.identifierDoesNotMatchSopClass;
  return null;
}
