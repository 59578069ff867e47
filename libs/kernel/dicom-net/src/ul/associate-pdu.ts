// A-ASSOCIATE-RQ and A-ASSOCIATE-AC, decoded and encoded (PS3.8 §9.3.2 and §9.3.3).
import type { AssociationRequest, ProposedContext } from './association-request.js';
import { FieldReader, item, ItemType, MalformedPduError, readItems, text, trimmedText, u16 } from './associate-items.js';
import { PduType } from './pdu.js';
import { encodePdu } from './pdu-writer.js';
import { decodeUserInformation, emptyUserInformation, encodeUserInformation, type UserInformation } from './user-information.js';

/** DICOM Application Context Name (PS3.7 Annex A). */
export const DICOM_APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';
export const PROTOCOL_VERSION = 1;
const AE_TITLE_BYTES = 16;

export interface ContextAnswer {
  readonly id: number;
  /** 0 is acceptance, see ContextResult. */
  readonly result: number;
  readonly transferSyntax: string;
}

export interface AssociationAnswer {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly contexts: readonly ContextAnswer[];
  readonly user: UserInformation;
}

/** Throws MalformedPduError for a request that contradicts itself, has too many contexts, or an even or repeated context id. */
export function decodeAssociateRq(body: Buffer, maxContexts: number): AssociationRequest {
  const fixed = decodeFixedPart(body);
  const contexts = new Map<number, ProposedContext>();
  let applicationContext = '';
  let user = emptyUserInformation();
  for (const { type, value } of readItems(body.subarray(68))) {
    if (type === ItemType.applicationContext) applicationContext = trimmedText(value);
    else if (type === ItemType.userInformation) user = decodeUserInformation(value);
    else if (type === ItemType.presentationContextRq) {
      const context = decodeProposedContext(value);
      if (contexts.has(context.id)) throw new MalformedPduError('presentation context id repeated');
      if (contexts.size >= maxContexts) throw new MalformedPduError('too many presentation contexts');
      contexts.set(context.id, context);
    }
  }
  return { ...fixed, applicationContext, presentationContexts: [...contexts.values()], ...user };
}

export function decodeAssociateAc(body: Buffer): AssociationAnswer {
  const { callingAet, calledAet } = decodeFixedPart(body);
  const contexts: ContextAnswer[] = [];
  let user = emptyUserInformation();
  for (const { type, value } of readItems(body.subarray(68))) {
    if (type === ItemType.userInformation) user = decodeUserInformation(value);
    else if (type === ItemType.presentationContextAc) contexts.push(decodeContextAnswer(value));
  }
  return { callingAet, calledAet, contexts, user };
}

function decodeFixedPart(body: Buffer): Pick<AssociationRequest, 'protocolVersion' | 'calledAet' | 'callingAet'> {
  const fields = new FieldReader(body);
  const protocolVersion = fields.u16();
  fields.take(2);
  const calledAet = trimmedText(fields.take(AE_TITLE_BYTES));
  const callingAet = trimmedText(fields.take(AE_TITLE_BYTES));
  fields.take(32);
  return { protocolVersion, calledAet, callingAet };
}

function decodeProposedContext(value: Buffer): ProposedContext {
  const fields = new FieldReader(value);
  const id = fields.u8();
  fields.take(3);
  if (id % 2 === 0) throw new MalformedPduError('presentation context id is even');
  let abstractSyntax = '';
  const transferSyntaxes: string[] = [];
  for (const sub of readItems(fields.take(fields.remaining))) {
    if (sub.type === ItemType.abstractSyntax) abstractSyntax = trimmedText(sub.value);
    else if (sub.type === ItemType.transferSyntax) transferSyntaxes.push(trimmedText(sub.value));
  }
  return { id, abstractSyntax, transferSyntaxes };
}

function decodeContextAnswer(value: Buffer): ContextAnswer {
  const fields = new FieldReader(value);
  const id = fields.u8();
  fields.take(1);
  const result = fields.u8();
  fields.take(1);
  let transferSyntax = '';
  for (const sub of readItems(fields.take(fields.remaining))) {
    if (sub.type === ItemType.transferSyntax) transferSyntax = trimmedText(sub.value);
  }
  return { id, result, transferSyntax };
}

export function encodeAssociateRq(request: AssociationRequest): Buffer {
  const contexts = request.presentationContexts.map((context) =>
    item(
      ItemType.presentationContextRq,
      Buffer.from([context.id, 0, 0, 0]),
      item(ItemType.abstractSyntax, text(context.abstractSyntax)),
      ...context.transferSyntaxes.map((uid) => item(ItemType.transferSyntax, text(uid))),
    ));
  return encodeAssociate(PduType.associateRq, request, request.applicationContext, contexts, {
    ...request,
    roles: [...request.roles],
    extendedNegotiations: [...request.extendedNegotiations],
    commonExtendedNegotiations: [...request.commonExtendedNegotiations],
  });
}

export function encodeAssociateAc(answer: AssociationAnswer): Buffer {
  const contexts = answer.contexts.map((context) =>
    item(
      ItemType.presentationContextAc,
      Buffer.from([context.id, 0, context.result, 0]),
      item(ItemType.transferSyntax, text(context.transferSyntax)),
    ));
  return encodeAssociate(PduType.associateAc, answer, DICOM_APPLICATION_CONTEXT, contexts, answer.user);
}

function encodeAssociate(
  type: number,
  titles: { callingAet: string; calledAet: string },
  applicationContext: string,
  contexts: readonly Buffer[],
  user: UserInformation,
): Buffer {
  return encodePdu(type, Buffer.concat([
    u16(PROTOCOL_VERSION),
    Buffer.alloc(2),
    text(titles.calledAet.padEnd(AE_TITLE_BYTES).slice(0, AE_TITLE_BYTES)),
    text(titles.callingAet.padEnd(AE_TITLE_BYTES).slice(0, AE_TITLE_BYTES)),
    Buffer.alloc(32),
    item(ItemType.applicationContext, text(applicationContext)),
    ...contexts,
    encodeUserInformation(user),
  ]));
}
