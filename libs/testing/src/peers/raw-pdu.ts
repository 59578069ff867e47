// Builds upper layer bytes by hand, right or deliberately wrong, without the product's own encoders (PS3.8 §9.3).

export interface RawContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

export interface RawAssociateRq {
  readonly protocolVersion?: number;
  readonly applicationContext?: string;
  readonly calledAet?: string;
  readonly callingAet?: string;
  readonly contexts?: readonly RawContext[];
  readonly maxPduBytes?: number;
  /** Further sub-items of the user information, already framed. */
  readonly userItems?: readonly Buffer[];
  /** Further items after the user information. */
  readonly extraItems?: readonly Buffer[];
}

export const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';
export const VERIFICATION = '1.2.840.10008.1.1';
export const IMPLICIT_LITTLE = '1.2.840.10008.1.2';
export const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';

export const STORE_CONTEXT: RawContext = { id: 1, abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [EXPLICIT_LITTLE] };
export const ECHO_CONTEXT: RawContext = { id: 3, abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LITTLE] };

export const FIND_CONTEXT: RawContext = { id: 5, abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: [EXPLICIT_LITTLE] };

export function rawPdu(type: number, body: Buffer, lengthInHeader = body.length): Buffer {
  const header = Buffer.alloc(6);
  header[0] = type;
  header.writeUInt32BE(lengthInHeader, 2);
  return Buffer.concat([header, body]);
}

export function rawItem(type: number, body: Buffer): Buffer {
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

export function rawAssociateRq(request: RawAssociateRq = {}): Buffer {
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(request.protocolVersion ?? 1, 0);
  fixed.write((request.calledAet ?? 'PERENNIA').padEnd(16), 4, 'latin1');
  fixed.write((request.callingAet ?? 'PEER').padEnd(16), 20, 'latin1');
  const maxLength = Buffer.alloc(4);
  maxLength.writeUInt32BE(request.maxPduBytes ?? 131_072);
  const contexts = (request.contexts ?? [STORE_CONTEXT, ECHO_CONTEXT]).map((context) =>
    rawItem(0x20, Buffer.concat([
      Buffer.from([context.id, 0, 0, 0]),
      rawItem(0x30, Buffer.from(context.abstractSyntax)),
      ...context.transferSyntaxes.map((uid) => rawItem(0x40, Buffer.from(uid))),
    ])));
  return rawPdu(1, Buffer.concat([
    fixed,
    rawItem(0x10, Buffer.from(request.applicationContext ?? '1.2.840.10008.3.1.1.1')),
    ...contexts,
    rawItem(0x50, Buffer.concat([rawItem(0x51, maxLength), rawItem(0x52, Buffer.from('1.2.3.4')), ...(request.userItems ?? [])])),
    ...(request.extraItems ?? []),
  ]));
}

/** A presentation data value. `length` may lie. */
export function rawPdv(contextId: number, control: number, data: Buffer, length = data.length + 2): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32BE(length, 0);
  header[4] = contextId;
  header[5] = control;
  return Buffer.concat([header, data]);
}

export function rawData(...values: readonly Buffer[]): Buffer {
  return rawPdu(4, Buffer.concat(values));
}

export function rawElement(element: number, value: Buffer | number | string): Buffer {
  let bytes: Buffer;
  if (typeof value === 'number') {
    bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(value);
  } else bytes = typeof value === 'string' ? Buffer.from(value.length % 2 ? `${value}\0` : value, 'latin1') : value;
  const header = Buffer.alloc(8);
  header.writeUInt16LE(element, 2);
  header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

export function rawCommand(...elements: readonly Buffer[]): Buffer {
  const body = Buffer.concat(elements);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([rawElement(0, length), body]);
}

export function rawStoreRq(messageId: number, sopInstanceUid = '1.2.3.4.5', sopClassUid = CT_IMAGE_STORAGE): Buffer {
  return rawCommand(
    rawElement(0x0002, sopClassUid), rawElement(0x0100, 0x0001), rawElement(0x0110, messageId), rawElement(0x0700, 0),
    rawElement(0x0800, 0), rawElement(0x1000, sopInstanceUid),
  );
}

export function rawEchoRq(messageId: number): Buffer {
  return rawCommand(rawElement(0x0002, VERIFICATION), rawElement(0x0100, 0x0030), rawElement(0x0110, messageId), rawElement(0x0800, 0x0101));
}

export function rawFindRq(messageId: number, sopClassUid = FIND_CONTEXT.abstractSyntax): Buffer {
  return rawCommand(
    rawElement(0x0002, sopClassUid), rawElement(0x0100, 0x0020), rawElement(0x0110, messageId), rawElement(0x0700, 0), rawElement(0x0800, 0),
  );
}

/** C-FIND by study root, on its context: command PDU and identifier PDU. */
export function rawFind(messageId: number, identifier: Buffer): Buffer {
  return Buffer.concat([rawData(rawPdv(FIND_CONTEXT.id, 3, rawFindRq(messageId))), rawData(rawPdv(FIND_CONTEXT.id, 2, identifier))]);
}

export function rawCancel(messageIdRespondedTo: number, contextId = FIND_CONTEXT.id): Buffer {
  const command = rawCommand(rawElement(0x0100, 0x0fff), rawElement(0x0120, messageIdRespondedTo), rawElement(0x0800, 0x0101));
  return rawData(rawPdv(contextId, 3, command));
}

/** C-STORE of `dataset` on context 1: command PDU and dataset PDU. */
export function rawStore(messageId: number, dataset: Buffer, sopInstanceUid?: string): Buffer {
  return Buffer.concat([rawData(rawPdv(1, 3, rawStoreRq(messageId, sopInstanceUid))), rawData(rawPdv(1, 2, dataset))]);
}

export const RAW_RELEASE_RQ = rawPdu(5, Buffer.alloc(4));
export const RAW_RELEASE_RP = rawPdu(6, Buffer.alloc(4));
export const RAW_ABORT = rawPdu(7, Buffer.alloc(4));
