import { describe, expect, it } from '@jest/globals';
import { NO_QUERY_EXTENSIONS } from '../dimse/query-extensions.js';
import { QueryRetrieveSopClass } from '../dimse/query-retrieve-sop-class.js';
import { DEFAULT_ACCEPTOR_LIMITS } from './acceptor-limits.js';
import type { AssociationAcceptance } from './association-decision.js';
import type { AssociationRequest } from './association-request.js';
import { negotiate } from './negotiation.js';

const IMPLEMENTATION = { classUid: '1.2.3', version: 'TEST' };
const ACCEPT_FIRST: AssociationAcceptance = { accept: true, acceptContext: (_, offered) => offered[0] ?? 4 };

function aRequest(over: Partial<AssociationRequest> = {}): AssociationRequest {
  return {
    protocolVersion: 1, applicationContext: '1', callingAet: 'A', calledAet: 'B', maxPduBytes: 16384, implementationClassUid: '1', implementationVersion: '',
    presentationContexts: [{ id: 1, abstractSyntax: '1.2', transferSyntaxes: ['1.2.840.10008.1.2'] }],
    roles: [], extendedNegotiations: [], commonExtendedNegotiations: [], ...over,
  };
}
const outcome = (request: AssociationRequest, decision = ACCEPT_FIRST) => negotiate(request, decision, DEFAULT_ACCEPTOR_LIMITS, IMPLEMENTATION);

describe('negotiation', () => {
  it('given contexts the application refuses, then each carries its own result', () => {
    const ids = [1, 3, 5, 7, 9];
    const request = aRequest({ presentationContexts: ids.map((id) => ({ id, abstractSyntax: `1.${id}`, transferSyntaxes: ['1.2'] })) });
    const { answer, contexts } = outcome(request, {
      accept: true,
      acceptContext: (abstractSyntax, offered) => ({ '1.1': offered[0], '1.3': 1, '1.5': 2, '1.7': 3, '1.9': 4 } as const)[abstractSyntax] ?? 2,
    });
    expect(answer.contexts.map((context) => context.result)).toEqual([0, 1, 2, 3, 4]);
    expect([...contexts.keys()]).toEqual([1]);
  });

  it.each([
    ['no abstract syntax', { abstractSyntax: '', transferSyntaxes: ['1.2'] }, 3],
    ['an abstract syntax of 65 characters', { abstractSyntax: '1'.repeat(65), transferSyntaxes: ['1.2'] }, 3],
    ['no transfer syntax', { abstractSyntax: '1.2', transferSyntaxes: [] }, 4],
    ['only impossible transfer syntaxes', { abstractSyntax: '1.2', transferSyntaxes: ['1'.repeat(65)] }, 4],
  ])('given %s, then the application is not even asked', (_name, context, result) => {
    const decision: AssociationAcceptance = { accept: true, acceptContext: () => { throw new Error('asked'); } };
    expect(outcome(aRequest({ presentationContexts: [{ id: 1, ...context }] }), decision).answer.contexts[0]?.result).toBe(result);
  });

  it('given a choice that was not proposed, then it throws rather than answer nonsense', () => {
    expect(() => outcome(aRequest(), { accept: true, acceptContext: () => '9.9' })).toThrow(RangeError);
  });

  it.each([
    [undefined, undefined, 1],
    [{ maxInvoked: 4, maxPerformed: 1 }, { maxInvoked: 4, maxPerformed: 1 }, 4],
    [{ maxInvoked: 0, maxPerformed: 0 }, { maxInvoked: 32, maxPerformed: 32 }, 32],
    [{ maxInvoked: 33, maxPerformed: 1 }, { maxInvoked: 32, maxPerformed: 1 }, 32],
  ])('given the window %j, then %j is granted', (asked, granted, peerMayInvoke) => {
    const result = outcome(aRequest(asked ? { operationsWindow: asked } : {}));
    expect(result.answer.user.operationsWindow).toEqual(granted);
    expect(result.peerMayInvoke).toBe(peerMayInvoke);
  });

  it('given proposed roles, then no more is granted than was proposed, and SCP only by the application', () => {
    const roles = [{ sopClassUid: '1.2', scu: false, scp: true }];
    expect(outcome(aRequest({ roles })).answer.user.roles).toEqual([{ sopClassUid: '1.2', scu: false, scp: false }]);
    const granted = outcome(aRequest({ roles }), { ...ACCEPT_FIRST, acceptRole: () => ({ scu: true, scp: true }) });
    expect(granted.answer.user.roles).toEqual([{ sopClassUid: '1.2', scu: false, scp: true }]);
    expect(granted.contexts.get(1)).toMatchObject({ peerIsScu: false, peerIsScp: true });
    expect(outcome(aRequest()).contexts.get(1)).toMatchObject({ peerIsScu: true, peerIsScp: false });
  });

  it('given extended negotiation and a user identity, then the application answers them', () => {
    const request = aRequest({
      extendedNegotiations: [{ sopClassUid: '1.2', information: Buffer.from([1]) }, { sopClassUid: '1.3', information: Buffer.from([1]) }],
      userIdentity: { type: 5, positiveResponseRequested: true, primaryField: Buffer.from('jwt'), secondaryField: Buffer.alloc(0) },
    });
    const { answer } = outcome(request, {
      ...ACCEPT_FIRST,
      acceptExtended: ({ sopClassUid }) => (sopClassUid === '1.2' ? Buffer.from([2]) : undefined),
      userIdentityResponse: Buffer.from('ok'),
    });
    expect(answer.user.extendedNegotiations).toEqual([{ sopClassUid: '1.2', information: Buffer.from([2]) }]);
    expect(answer.user.userIdentityResponse).toEqual(Buffer.from('ok'));
  });
  describe('query extensions (PS3.4 §C.5.1.1)', () => {
    const FIND = QueryRetrieveSopClass.studyRootFind;
    const SUPPORTED = { ...NO_QUERY_EXTENSIONS, relationalQueries: true, fuzzySemanticMatching: true };
    const decision: AssociationAcceptance = { ...ACCEPT_FIRST, acceptQueryExtensions: () => SUPPORTED };
    const asking = (...extendedNegotiations: { sopClassUid: string; information: Buffer }[]) => aRequest({
      presentationContexts: [FIND, QueryRetrieveSopClass.patientRootFind, '1.2'].map((abstractSyntax, index) =>
        ({ id: 2 * index + 1, abstractSyntax, transferSyntaxes: ['1.2.840.10008.1.2'] })),
      extendedNegotiations,
    });

    it('given a proposal, then what is supported is answered in as many bytes, and the contexts of that SOP class alone have it', () => {
      const { answer, contexts } = outcome(asking({ sopClassUid: FIND, information: Buffer.from([1, 1, 0]) }), decision);
      expect(answer.user.extendedNegotiations).toEqual([{ sopClassUid: FIND, information: Buffer.from([1, 0, 0]) }]);
      expect([...contexts.values()].map((context) => context.queryExtensions)).toEqual([
        { ...NO_QUERY_EXTENSIONS, relationalQueries: true }, NO_QUERY_EXTENSIONS, NO_QUERY_EXTENSIONS,
      ]);
    });

    it('given no proposal, or an application that does not answer it, then nothing is answered and nothing holds', () => {
      for (const { answer, contexts } of [outcome(asking(), decision), outcome(asking({ sopClassUid: FIND, information: Buffer.from([1, 1, 1, 1]) }))]) {
        expect(answer.user.extendedNegotiations).toEqual([]);
        expect(contexts.get(1)?.queryExtensions).toEqual(NO_QUERY_EXTENSIONS);
      }
    });

    it('given an answer by bytes that grants more than was asked, then no more than was asked holds', () => {
      const raw: AssociationAcceptance = { ...ACCEPT_FIRST, acceptExtended: () => Buffer.from([1, 1, 1, 1]) };
      const { contexts } = outcome(asking({ sopClassUid: FIND, information: Buffer.from([0, 0, 1]) }), raw);
      expect(contexts.get(1)?.queryExtensions).toEqual({ ...NO_QUERY_EXTENSIONS, fuzzySemanticMatching: true });
    });
  });
});
