// Builds responses: the request's identifiers, a status, at most a comment (PS3.7 §9.3 and Annex E). One buffer each.
import { DATASET_FOLLOWS, NO_DATASET, RESPONSE_BIT } from './command-field.js';
import type { CommandSet } from './command-set.js';
import { CommandWriter } from './command-writer.js';
import type { SubOperations } from './retrieve-service.js';

/** What an element of two bytes can say. */
const MAX_COUNT = 0xffff;

export interface ResponseExtras {
  readonly hasDataset?: boolean;
  /** Of C-MOVE and C-GET (PS3.7 §9.3.4.2, §9.3.3.2); what is not there is not told. */
  readonly subOperations?: Partial<SubOperations>;
}

export function encodeResponse(
  request: CommandSet, contextId: number, peerMaxPduBytes: number, status: number, errorComment?: string, extras: ResponseExtras = {},
): Buffer {
  const writer = new CommandWriter();
  const sopClassUid = request.affectedSopClassUid || request.requestedSopClassUid;
  const sopInstanceUid = request.affectedSopInstanceUid || request.requestedSopInstanceUid;
  if (sopClassUid) writer.uid(0x0002, sopClassUid);
  writer
    .short(0x0100, request.commandField | RESPONSE_BIT)
    .short(0x0120, request.messageId)
    .short(0x0800, extras.hasDataset ? DATASET_FOLLOWS : NO_DATASET)
    .short(0x0900, status);
  if (errorComment) writer.text(0x0902, errorComment);
  if (sopInstanceUid) writer.uid(0x1000, sopInstanceUid);
  if (request.eventTypeId >= 0) writer.short(0x1002, request.eventTypeId);
  if (request.actionTypeId >= 0) writer.short(0x1008, request.actionTypeId);
  if (extras.subOperations) writeSubOperations(writer, extras.subOperations);
  return writer.finish(contextId, peerMaxPduBytes);
}

function writeSubOperations(writer: CommandWriter, { remaining, completed, failed, warning }: Partial<SubOperations>): void {
  [remaining, completed, failed, warning].forEach((number, index) => {
    if (number !== undefined) writer.short(0x1020 + index, Math.min(number, MAX_COUNT));
  });
}

/** A pending C-FIND-RSP, whose identifier follows as dataset (PS3.7 §9.3.2.2). */
export function encodePendingResponse(request: CommandSet, contextId: number, peerMaxPduBytes: number, status: number): Buffer {
  return new CommandWriter()
    .uid(0x0002, request.affectedSopClassUid)
    .short(0x0100, request.commandField | RESPONSE_BIT)
    .short(0x0120, request.messageId)
    .short(0x0800, DATASET_FOLLOWS)
    .short(0x0900, status)
    .finish(contextId, peerMaxPduBytes);
}
