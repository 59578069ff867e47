// Turns an accepted request into the answer and into what both sides may then do (PS3.7 Annex D). Pure.
import { decodeQueryExtensions, encodeQueryExtensions, grantQueryExtensions, NO_QUERY_EXTENSIONS, type QueryExtensions } from '../dimse/query-extensions.js';
import { QUERY_SOP_CLASSES } from '../dimse/query-retrieve-sop-class.js';
import type { AcceptorLimits } from './acceptor-limits.js';
import { type AssociationAcceptance, ContextResult } from './association-decision.js';
import type { AssociationRequest, ExtendedNegotiation, OperationsWindow, ProposedContext } from './association-request.js';
import type { AssociationAnswer, ContextAnswer } from './associate-pdu.js';

export interface AcceptedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
  /** The peer may invoke operations of an SCU on it: as the default and role selection (PS3.7 §D.3.3.4) have it. */
  readonly peerIsScu: boolean;
  /** We may invoke such operations, which the peer performs. */
  readonly peerIsScp: boolean;
  /** What C-FIND on it may do beyond the baseline. */
  readonly queryExtensions: QueryExtensions;
}

export interface Negotiated {
  readonly answer: AssociationAnswer;
  readonly contexts: ReadonlyMap<number, AcceptedContext>;
  /** Operations the peer may have outstanding with us. */
  readonly peerMayInvoke: number;
  /** Operations that we may have outstanding with the peer. */
  readonly weMayInvoke: number;
}

export interface Implementation {
  readonly classUid: string;
  readonly version: string;
}

const MAX_UID_CHARACTERS = 64;

export function negotiate(
  request: AssociationRequest, decision: AssociationAcceptance, limits: AcceptorLimits, implementation: Implementation,
): Negotiated {
  const roles = negotiateRoles(request, decision);
  const extendedNegotiations = answerExtended(request, decision);
  const contexts = new Map<number, AcceptedContext>();
  const answers: ContextAnswer[] = [];
  for (const proposed of request.presentationContexts) {
    const answer = answerContext(proposed, decision);
    answers.push(answer);
    if (answer.result !== ContextResult.acceptance) continue;
    const { id, abstractSyntax } = proposed;
    const role = roles.find((one) => one.sopClassUid === abstractSyntax);
    contexts.set(id, {
      id,
      abstractSyntax,
      transferSyntax: answer.transferSyntax,
      peerIsScu: role?.scu ?? true,
      peerIsScp: role?.scp ?? false,
      queryExtensions: queryExtensionsOf(abstractSyntax, request.extendedNegotiations, extendedNegotiations),
    });
  }
  const operationsWindow = request.operationsWindow && grantWindow(request.operationsWindow, limits.maxOperations);
  const identity = request.userIdentity?.positiveResponseRequested
    ? { userIdentityResponse: decision.userIdentityResponse ?? Buffer.alloc(0) } : {};
  return {
    contexts,
    peerMayInvoke: operationsWindow?.maxInvoked ?? 1,
    weMayInvoke: operationsWindow?.maxPerformed ?? 1,
    answer: {
      callingAet: request.callingAet,
      calledAet: request.calledAet,
      contexts: answers,
      user: {
        maxPduBytes: limits.maxPduBytes,
        implementationClassUid: implementation.classUid,
        implementationVersion: implementation.version,
        ...(operationsWindow ? { operationsWindow } : {}),
        roles,
        extendedNegotiations,
        // An acceptor never answers the common extended negotiation (PS3.7 §D.3.3.6.1).
        commonExtendedNegotiations: [],
        ...identity,
      },
    },
  };
}

function answerContext(proposed: ProposedContext, decision: AssociationAcceptance): ContextAnswer {
  const refused = proposed.transferSyntaxes[0]?.slice(0, MAX_UID_CHARACTERS) ?? '';
  if (!isUidLike(proposed.abstractSyntax)) {
    return { id: proposed.id, result: ContextResult.abstractSyntaxNotSupported, transferSyntax: refused };
  }
  const offered = proposed.transferSyntaxes.filter(isUidLike);
  if (offered.length === 0) return { id: proposed.id, result: ContextResult.transferSyntaxesNotSupported, transferSyntax: refused };
  const choice = decision.acceptContext(proposed.abstractSyntax, offered);
  if (typeof choice === 'number') return { id: proposed.id, result: choice, transferSyntax: refused };
  if (!offered.includes(choice)) throw new RangeError('acceptContext chose a transfer syntax that was not proposed');
  return { id: proposed.id, result: ContextResult.acceptance, transferSyntax: choice };
}

function isUidLike(uid: string): boolean {
  return uid.length > 0 && uid.length <= MAX_UID_CHARACTERS;
}

/** Only proposed roles can be granted, and only for classes the requestor named (PS3.7 §D.3.3.4). */
function negotiateRoles(request: AssociationRequest, decision: AssociationAcceptance) {
  const acceptRole = decision.acceptRole;
  if (!acceptRole) return request.roles.map((role) => ({ sopClassUid: role.sopClassUid, scu: role.scu, scp: false }));
  return request.roles.map((role) => {
    const granted = acceptRole.call(decision, role);
    return { sopClassUid: role.sopClassUid, scu: role.scu && granted.scu, scp: role.scp && granted.scp };
  });
}

function answerExtended(request: AssociationRequest, decision: AssociationAcceptance): ExtendedNegotiation[] {
  const answers: ExtendedNegotiation[] = [];
  for (const proposal of request.extendedNegotiations) {
    const information = answerQueryExtensions(proposal, decision) ?? decision.acceptExtended?.(proposal);
    if (information) answers.push({ sopClassUid: proposal.sopClassUid, information });
  }
  return answers;
}

function answerQueryExtensions(proposal: ExtendedNegotiation, decision: AssociationAcceptance): Buffer | undefined {
  const { sopClassUid, information } = proposal;
  if (!decision.acceptQueryExtensions || !QUERY_SOP_CLASSES.has(sopClassUid)) return undefined;
  const proposed = decodeQueryExtensions(information);
  return encodeQueryExtensions(grantQueryExtensions(proposed, decision.acceptQueryExtensions(sopClassUid, proposed)), information.length);
}

/** What holds is what was proposed and answered, whichever callback answered it; a sub-item without an answer asked in vain. */
function queryExtensionsOf(
  sopClassUid: string, proposals: readonly ExtendedNegotiation[], answers: readonly ExtendedNegotiation[],
): QueryExtensions {
  if (!QUERY_SOP_CLASSES.has(sopClassUid)) return NO_QUERY_EXTENSIONS;
  const proposed = proposals.find((one) => one.sopClassUid === sopClassUid);
  const answered = answers.find((one) => one.sopClassUid === sopClassUid);
  if (!proposed || !answered) return NO_QUERY_EXTENSIONS;
  return grantQueryExtensions(decodeQueryExtensions(proposed.information), decodeQueryExtensions(answered.information));
}

/** Both numbers are the requestor's: what it invokes, and what it performs of ours. */
function grantWindow(asked: OperationsWindow, cap: number): OperationsWindow {
  const grant = (value: number): number => (value === 0 ? cap : Math.min(value, cap));
  return { maxInvoked: grant(asked.maxInvoked), maxPerformed: grant(asked.maxPerformed) };
}
