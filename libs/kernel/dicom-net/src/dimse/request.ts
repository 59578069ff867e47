// Builds the requests we send: C-ECHO-RQ, C-STORE-RQ, C-FIND-RQ, C-MOVE-RQ, C-GET-RQ and C-CANCEL-RQ (PS3.7 §9.3.5.1, §9.3.1.1, §9.3.2.1, §9.3.4.1,
// §9.3.3.1, §9.3.2.3), N-ACTION-RQ and N-EVENT-REPORT-RQ (§10.3.5.1, §10.3.1.1).
import type { ActionOperation } from './action-service.js';
import { CommandField, DATASET_FOLLOWS, NO_DATASET } from './command-field.js';
import { CommandWriter } from './command-writer.js';
import type { EventReportOperation } from './event-report-service.js';

const PRIORITY_MEDIUM = 0x0000;

/** PS3.7 §E.1 (0000,0700); whoever says nothing of it asks for medium. */
export function priorityOf(value: number): 'low' | 'medium' | 'high' {
  if (value === 0x0001) return 'high';
  return value === 0x0002 ? 'low' : 'medium';
}

export interface StoreRequestFields {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly moveOriginatorAet?: string;
  readonly moveOriginatorMessageId?: number;
}

export function encodeEchoRequest(contextId: number, peerMaxPduBytes: number, messageId: number, verificationUid: string): Buffer {
  return new CommandWriter()
    .uid(0x0002, verificationUid)
    .short(0x0100, CommandField.cEchoRq)
    .short(0x0110, messageId)
    .short(0x0800, NO_DATASET)
    .finish(contextId, peerMaxPduBytes);
}

export function encodeStoreRequest(contextId: number, peerMaxPduBytes: number, messageId: number, fields: StoreRequestFields): Buffer {
  const writer = new CommandWriter()
    .uid(0x0002, fields.sopClassUid)
    .short(0x0100, CommandField.cStoreRq)
    .short(0x0110, messageId)
    .short(0x0700, PRIORITY_MEDIUM)
    .short(0x0800, DATASET_FOLLOWS)
    .uid(0x1000, fields.sopInstanceUid);
  if (fields.moveOriginatorAet) writer.text(0x1030, fields.moveOriginatorAet);
  if (fields.moveOriginatorMessageId !== undefined) writer.short(0x1031, fields.moveOriginatorMessageId);
  return writer.finish(contextId, peerMaxPduBytes);
}

/** The identifier follows as dataset. */
export function encodeFindRequest(contextId: number, peerMaxPduBytes: number, messageId: number, sopClassUid: string): Buffer {
  return new CommandWriter()
    .uid(0x0002, sopClassUid)
    .short(0x0100, CommandField.cFindRq)
    .short(0x0110, messageId)
    .short(0x0700, PRIORITY_MEDIUM)
    .short(0x0800, DATASET_FOLLOWS)
    .finish(contextId, peerMaxPduBytes);
}

/** The identifier follows as dataset. C-MOVE with a destination, C-GET without. */
export function encodeRetrieveRequest(
  contextId: number, peerMaxPduBytes: number, messageId: number, sopClassUid: string, moveDestination?: string,
): Buffer {
  const writer = new CommandWriter()
    .uid(0x0002, sopClassUid)
    .short(0x0100, moveDestination === undefined ? CommandField.cGetRq : CommandField.cMoveRq)
    .short(0x0110, messageId);
  if (moveDestination !== undefined) writer.text(0x0600, moveDestination);
  return writer.short(0x0700, PRIORITY_MEDIUM).short(0x0800, DATASET_FOLLOWS).finish(contextId, peerMaxPduBytes);
}

export function encodeActionRequest(contextId: number, peerMaxPduBytes: number, messageId: number, operation: ActionOperation): Buffer {
  return new CommandWriter()
    .uid(0x0003, operation.sopClassUid)
    .short(0x0100, CommandField.nActionRq)
    .short(0x0110, messageId)
    .short(0x0800, operation.information ? DATASET_FOLLOWS : NO_DATASET)
    .uid(0x1001, operation.sopInstanceUid)
    .short(0x1008, operation.actionTypeId)
    .finish(contextId, peerMaxPduBytes);
}

export function encodeEventReportRequest(contextId: number, peerMaxPduBytes: number, messageId: number, operation: EventReportOperation): Buffer {
  return new CommandWriter()
    .uid(0x0002, operation.sopClassUid)
    .short(0x0100, CommandField.nEventReportRq)
    .short(0x0110, messageId)
    .short(0x0800, operation.information ? DATASET_FOLLOWS : NO_DATASET)
    .uid(0x1000, operation.sopInstanceUid)
    .short(0x1002, operation.eventTypeId)
    .finish(contextId, peerMaxPduBytes);
}

/** Has no message id of its own and gets no answer of its own (PS3.7 §9.3.2.3): the operation itself ends with FE00. */
export function encodeCancelRequest(contextId: number, peerMaxPduBytes: number, messageIdRespondedTo: number): Buffer {
  return new CommandWriter()
    .short(0x0100, CommandField.cCancelRq)
    .short(0x0120, messageIdRespondedTo)
    .short(0x0800, NO_DATASET)
    .finish(contextId, peerMaxPduBytes);
}
