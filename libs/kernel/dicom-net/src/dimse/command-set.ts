// DIMSE command sets: group 0000 in implicit little endian, always (PS3.7 §6.3.1 and Annex E). Read strictly, since a
// command that contradicts itself says nothing reliable about the bytes after it.
import { NO_DATASET } from './command-field.js';

export class MalformedCommandError extends Error {
  override readonly name = 'MalformedCommandError';
}

/** -1 and '' stand for absent: one object shape keeps the hot path monomorphic. */
export interface CommandSet {
  commandField: number;
  messageId: number;
  messageIdRespondedTo: number;
  hasDataset: boolean;
  status: number;
  errorComment: string;
  affectedSopClassUid: string;
  affectedSopInstanceUid: string;
  requestedSopClassUid: string;
  requestedSopInstanceUid: string;
  moveOriginatorAet: string;
  moveOriginatorMessageId: number;
  eventTypeId: number;
  actionTypeId: number;
  moveDestination: string;
  priority: number;
  remainingSubOperations: number;
  completedSubOperations: number;
  failedSubOperations: number;
  warningSubOperations: number;
}

export function decodeCommandSet(bytes: Buffer): CommandSet {
  const size = bytes.length;
  if (size < 12 || bytes.readUInt32LE(0) !== 0 || bytes.readUInt32LE(4) !== 4) throw new MalformedCommandError('command set without group length');
  if (bytes.readUInt32LE(8) !== size - 12) throw new MalformedCommandError('command group length does not match the command');
  const command: CommandSet = {
    commandField: -1, messageId: -1, messageIdRespondedTo: -1, hasDataset: false, status: -1, errorComment: '',
    affectedSopClassUid: '', affectedSopInstanceUid: '', requestedSopClassUid: '', requestedSopInstanceUid: '',
    moveOriginatorAet: '', moveOriginatorMessageId: -1, eventTypeId: -1, actionTypeId: -1, moveDestination: '', priority: -1,
    remainingSubOperations: -1, completedSubOperations: -1, failedSubOperations: -1, warningSubOperations: -1,
  };
  let dataSetType = -1;
  let at = 12;
  while (at < size) {
    if (at + 8 > size) throw new MalformedCommandError('command element cut short');
    const group = bytes.readUInt16LE(at);
    const element = bytes.readUInt16LE(at + 2);
    const start = at + 8;
    const end = start + bytes.readUInt32LE(at + 4);
    if (group !== 0) throw new MalformedCommandError('command set with an element of another group');
    if (end > size) throw new MalformedCommandError('command element longer than the command');
    if (element === 0x0800) dataSetType = unsigned(bytes, start, end);
    else assign(command, element, bytes, start, end);
    at = end;
  }
  if (command.commandField < 0 || dataSetType < 0) throw new MalformedCommandError('command set without command field or data set type');
  command.hasDataset = dataSetType !== NO_DATASET;
  return command;
}

function assign(into: CommandSet, element: number, bytes: Buffer, start: number, end: number): void {
  switch (element) {
    case 0x0002: into.affectedSopClassUid = textOf(bytes, start, end); break;
    case 0x0003: into.requestedSopClassUid = textOf(bytes, start, end); break;
    case 0x0100: into.commandField = unsigned(bytes, start, end); break;
    case 0x0110: into.messageId = unsigned(bytes, start, end); break;
    case 0x0120: into.messageIdRespondedTo = unsigned(bytes, start, end); break;
    case 0x0600: into.moveDestination = textOf(bytes, start, end); break;
    case 0x0700: into.priority = unsignedIfAny(bytes, start, end); break;
    case 0x0900: into.status = unsigned(bytes, start, end); break;
    case 0x0902: into.errorComment = textOf(bytes, start, end); break;
    case 0x1000: into.affectedSopInstanceUid = textOf(bytes, start, end); break;
    case 0x1001: into.requestedSopInstanceUid = textOf(bytes, start, end); break;
    case 0x1002: into.eventTypeId = unsignedIfAny(bytes, start, end); break;
    case 0x1008: into.actionTypeId = unsignedIfAny(bytes, start, end); break;
    case 0x1020: into.remainingSubOperations = unsignedIfAny(bytes, start, end); break;
    case 0x1021: into.completedSubOperations = unsignedIfAny(bytes, start, end); break;
    case 0x1022: into.failedSubOperations = unsignedIfAny(bytes, start, end); break;
    case 0x1023: into.warningSubOperations = unsignedIfAny(bytes, start, end); break;
    case 0x1030: into.moveOriginatorAet = textOf(bytes, start, end); break;
    case 0x1031: into.moveOriginatorMessageId = unsigned(bytes, start, end); break;
    default: break;
  }
}

function unsigned(bytes: Buffer, start: number, end: number): number {
  if (end - start !== 2) throw new MalformedCommandError('unsigned short of another length than two');
  return bytes.readUInt16LE(start);
}

/** Of elements that nothing depends on: one without a value, which some peers send, is absent. */
function unsignedIfAny(bytes: Buffer, start: number, end: number): number {
  return end - start === 2 ? bytes.readUInt16LE(start) : -1;
}

function textOf(bytes: Buffer, start: number, end: number): string {
  while (end > start && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end--;
  return bytes.toString('latin1', start, end);
}
