import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AcceptorHarness, ECHO_CONTEXT, EXPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RQ, rawAssociateRq, rawCommand, rawData, rawEchoRq, rawElement, rawItem, rawPdv,
  type ScriptedPeer, settle,
} from '@perennia/testing';
import {
  type ActionRequest, type ActionService, DicomAcceptor, DicomRequestor, DimseFailure, type DimseServices, type EventReportRequest, type EventReportService,
  NoPresentationContextError, type NormalizedOutcome, type RequestorAssociation, type RequestorOptions, RoleNotGrantedError, StorageCommitment,
} from '../index.js';
import { message } from '../../test-parts/retrieve-peer.js';

const { sopClassUid, sopInstanceUid } = StorageCommitment;
const CONTEXT = { id: 11, abstractSyntax: sopClassUid, transferSyntaxes: [EXPLICIT_LITTLE] };
const OF_CLASS = new Set([sopClassUid]);
const SUCCESS: NormalizedOutcome = { status: 0 };
const role = (scu: number, scp: number): Buffer =>
  rawItem(0x54, Buffer.concat([Buffer.from([0, sopClassUid.length]), Buffer.from(sopClassUid), Buffer.from([scu, scp])]));

const acting = (perform: ActionService['perform']): DimseServices => ({ echo: () => 0, action: { sopClassUids: OF_CLASS, perform } });
const hearing = (receive: EventReportService['receive']): DimseServices => ({ echo: () => 0, eventReport: { sopClassUids: OF_CLASS, receive } });

function harnessOf(services: DimseServices): AcceptorHarness {
  return new AcceptorHarness({
    authorize: () => ({ accept: true, session: 'session', acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }) }),
    services,
  });
}
async function peerOf(harness: AcceptorHarness, userItems: Buffer[] = []): Promise<ScriptedPeer> {
  const peer = harness.connect();
  await peer.associate(rawAssociateRq({ contexts: [ECHO_CONTEXT, CONTEXT], userItems }));
  return peer;
}
const withInformation = (command: Buffer, information: Buffer | null): Buffer =>
  Buffer.concat([rawData(rawPdv(11, 3, command)), ...(information ? [rawData(rawPdv(11, 2, information))] : [])]);
const INFORMATION = Buffer.from('information!');
function rawAction(messageId: number, information: Buffer | null = INFORMATION, ofClass: string = sopClassUid): Buffer {
  return withInformation(rawCommand(
    rawElement(0x0003, ofClass), rawElement(0x0100, 0x0130), rawElement(0x0110, messageId), rawElement(0x0800, information ? 1 : 0x0101),
    rawElement(0x1001, sopInstanceUid), rawElement(0x1008, 1),
  ), information);
}
function rawEvent(messageId: number, information: Buffer | null = INFORMATION, ofClass: string = sopClassUid): Buffer {
  return withInformation(rawCommand(
    rawElement(0x0002, ofClass), rawElement(0x0100, 0x0100), rawElement(0x0110, messageId), rawElement(0x0800, information ? 1 : 0x0101),
    rawElement(0x1000, sopInstanceUid), rawElement(0x1002, 2),
  ), information);
}
const rawEventRsp = (messageId: number, status = 0): Buffer => rawData(rawPdv(11, 3, rawCommand(
  rawElement(0x0002, sopClassUid), rawElement(0x0100, 0x8100), rawElement(0x0120, messageId), rawElement(0x0800, 0x0101), rawElement(0x0900, status),
)));
const EVENT = { sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, eventTypeId: 1, information: Buffer.from('all is safe!') };

describe('N-ACTION as SCP', () => {
  it('D11: given a request, then the service learns everything about it, and its outcome is the answer, with a reply', async () => {
    const seen: { request: ActionRequest; information: string | undefined }[] = [];
    const peer = await peerOf(harnessOf(acting(async (request, information) => {
      seen.push({ request, information: information?.toString() });
      return { status: 0, reply: Buffer.from('reply!') };
    })));
    peer.send(rawAction(9));
    expect(await message(peer)).toMatchObject({
      commandField: 0x8130, messageIdRespondedTo: 9, status: 0, affectedSopClassUid: sopClassUid, affectedSopInstanceUid: sopInstanceUid, actionTypeId: 1,
      dataset: 'reply!',
    });
    expect(seen).toMatchObject([{ information: 'information!', request: {
      sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, actionTypeId: 1, callingAet: 'PEER', calledAet: 'PERENNIA', messageId: 9, session: 'session',
    } }]);
  });

  it('D11: given a request, then its outcome may be reported on the same association, behind the answer', async () => {
    const outcomes: NormalizedOutcome[] = [];
    const peer = await peerOf(harnessOf(acting((request) => {
      setImmediate(() => void request.report(EVENT).then((outcome) => outcomes.push(outcome)));
      return SUCCESS;
    })));
    peer.send(rawAction(9));
    expect(await message(peer)).toMatchObject({ commandField: 0x8130, status: 0, dataset: null });
    const report = await message(peer);
    expect(report).toMatchObject({
      contextId: 11, commandField: 0x0100, affectedSopClassUid: sopClassUid, affectedSopInstanceUid: sopInstanceUid, eventTypeId: 1, dataset: 'all is safe!',
    });
    peer.send(rawEventRsp(report.messageId, 0x0110), rawData(rawPdv(3, 3, rawEchoRq(10))), RAW_RELEASE_RQ);
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 10, status: 0 });
    await peer.expect(6);
    expect(outcomes).toEqual([{ status: 0x0110 }]);
  });

  it.each<[string, number, DimseServices, Buffer, Buffer[]]>([
    ['no service for it', 0x0211, { echo: () => 0 }, rawAction(1), []],
    ['a peer that is no SCU', 0x0211, acting(() => SUCCESS), rawAction(1), [role(0, 1)]],
    ['a service for another SOP class', 0x0211, { echo: () => 0, action: { sopClassUids: new Set(), perform: () => SUCCESS } }, rawAction(1), []],
    ['another SOP class than the context says', 0x0118, acting(() => SUCCESS), rawAction(1, INFORMATION, '1.2.3'), []],
    ['information that is too long', 0x0213, acting(() => SUCCESS), rawAction(1, Buffer.alloc(130_000)), []],
  ])('given %s, then %d before the service sees it, and the association lives on', async (_name, status, services, request, userItems) => {
    const harness = new AcceptorHarness({
      authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }) }),
      services, limits: { maxInformationBytes: 100_000 },
    });
    const peer = await peerOf(harness, userItems);
    peer.send(request);
    expect(await message(peer)).toMatchObject({ status, messageIdRespondedTo: 1 });
    expect(harness.events.at(-1)).toMatchObject({ type: 'refused-operation', status });
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(2))));
    expect(await message(peer)).toMatchObject({ status: 0 });
  });

  it.each([
    ['refuses', new DimseFailure(0x0123, 'no such action'), { status: 0x0123, errorComment: 'no such action' }, []],
    ['is broken', new Error('DOE^JANE'), { status: 0x0110, errorComment: '' }, ['failure']],
  ])('given a service that %s, and no information, then that is the answer', async (_name, error, expected, types) => {
    const informations: unknown[] = [];
    const harness = harnessOf(acting((_request, information) => {
      informations.push(information);
      throw error;
    }));
    const peer = await peerOf(harness);
    peer.send(rawAction(1, null));
    expect(await message(peer)).toMatchObject(expected);
    expect([informations, harness.types()]).toEqual([[null], ['accepted', ...types]]);
  });

  it('given a report to a peer that is no SCU of it, then it fails before anything is sent', async () => {
    const errors: unknown[] = [];
    const peer = await peerOf(harnessOf(acting(async (request) => {
      await request.report({ ...EVENT, sopClassUid: '1.2.3' }).catch((error: unknown) => errors.push(error));
      return SUCCESS;
    })));
    peer.send(rawAction(1));
    expect(await message(peer)).toMatchObject({ status: 0 });
    expect(errors).toMatchObject([{ code: 'ROLE_NOT_GRANTED' }]);
  });

  it.each([
    ['aborts', (peer: ScriptedPeer): void => void peer.send(RAW_ABORT), 'ASSOCIATION_ABORTED', 'aborted'],
    ['vanishes', (peer: ScriptedPeer): void => peer.vanish(), 'ASSOCIATION_TRANSPORT', 'aborted'],
    ['releases', (peer: ScriptedPeer): void => void peer.send(RAW_RELEASE_RQ), 'ASSOCIATION_TRANSPORT', 'released'],
    ['does not answer for 60 s', (_peer: ScriptedPeer, harness: AcceptorHarness): void => harness.timers.advance(61_000), 'ASSOCIATION_ABORTED', 'aborted'],
  ] as const)('D11: given a peer that %s instead of answering a report, then the report fails, once, and so do later ones', async (_name, leave, code, type) => {
    const errors: { code: string }[] = [];
    let report: () => Promise<unknown> = () => Promise.resolve();
    const harness = harnessOf(acting((request) => {
      report = () => request.report(EVENT).catch((error: unknown) => errors.push(error as { code: string }));
      return SUCCESS;
    }));
    const peer = await peerOf(harness);
    peer.send(rawAction(1));
    await message(peer);
    void report();
    await message(peer);
    leave(peer, harness);
    await settle();
    await report();
    expect([errors.map((error) => error.code), harness.types()]).toEqual([[code, code], ['accepted', type]]);
  });
});

describe('N-EVENT-REPORT as SCU of an accepted association', () => {
  it('D12: given a peer that takes the role of an SCP, then the service is told, and its outcome is the answer', async () => {
    const seen: { request: EventReportRequest; information: string | undefined }[] = [];
    const peer = await peerOf(harnessOf(hearing((request, information) => {
      seen.push({ request, information: information?.toString() });
      return SUCCESS;
    })), [role(0, 1)]);
    peer.send(rawEvent(9), rawEvent(10, null));
    const common = { commandField: 0x8100, status: 0, affectedSopClassUid: sopClassUid, affectedSopInstanceUid: sopInstanceUid, eventTypeId: 2, dataset: null };
    expect(await message(peer)).toMatchObject({ ...common, messageIdRespondedTo: 9 });
    expect(await message(peer)).toMatchObject({ ...common, messageIdRespondedTo: 10 });
    expect(seen).toMatchObject([
      { information: 'information!', request: { sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, eventTypeId: 2, callingAet: 'PEER', messageId: 9 } },
      { information: undefined },
    ]);
  });

  it.each([['no role', []], ['the role of an SCU', [role(1, 0)]]])('given a peer that takes %s, then 0211', async (_name, userItems) => {
    const peer = await peerOf(harnessOf(hearing(() => SUCCESS)), userItems);
    peer.send(rawEvent(9));
    expect(await message(peer)).toMatchObject({ status: 0x0211 });
  });
});

describe('N-ACTION and N-EVENT-REPORT by our requestor', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });
  const ACTION = { sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, actionTypeId: 1, information: INFORMATION };

  async function associated(services: DimseServices, over: Partial<RequestorOptions> = {}, granted = { scu: true, scp: true }): Promise<RequestorAssociation> {
    const acceptor = new DicomAcceptor({
      authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => granted }), services,
    });
    const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 });
    const contexts = [{ abstractSyntax: sopClassUid, transferSyntaxes: [EXPLICIT_LITTLE] }];
    const association = await DicomRequestor.connect({ host: '127.0.0.1', port, callingAet: 'SCU', calledAet: 'SCP', contexts, ...over });
    closing.push(() => acceptor.close({ graceMs: 0 }), () => association.abort());
    return association;
  }

  it('D12: given a request for commitment, then the outcome comes, and the event on the same association goes to the service, before a release', async () => {
    const events: string[] = [];
    const association = await associated(acting((request, information) => {
      setImmediate(() => void request.report(EVENT));
      return { status: 0, reply: Buffer.from(`${information?.toString()}${request.actionTypeId}`) };
    }), { services: hearing(async ({ eventTypeId }, information) => {
      await settle();
      events.push(`${eventTypeId} ${information?.toString()}`);
      return SUCCESS;
    }) });
    expect(await association.action(ACTION)).toEqual({ status: 0, reply: Buffer.from('information!1') });
    while (events.length === 0) await settle();
    await association.release();
    expect(events).toEqual(['1 all is safe!']);
  });

  it('D11: given the role of an SCP, then an event is reported on an association of its own', async () => {
    const events: EventReportRequest[] = [];
    const association = await associated(hearing((request) => {
      events.push(request);
      return { status: 0x0110, errorComment: 'not now' };
    }), { roles: [{ sopClassUid, scu: false, scp: true }] });
    expect(await association.report(EVENT)).toEqual({ status: 0x0110, errorComment: 'not now' });
    await association.release();
    expect(events).toMatchObject([{ eventTypeId: 1, callingAet: 'SCU' }]);
  });

  it.each([
    ['was not proposed', [], { scu: true, scp: true }],
    ['was not granted', [{ sopClassUid, scu: false, scp: true }], { scu: true, scp: false }],
  ])('given a role that %s, then nothing is reported, and the error says why', async (_name, roles, granted) => {
    const association = await associated(hearing(() => SUCCESS), { roles }, granted);
    await expect(association.report(EVENT)).rejects.toThrow(RoleNotGrantedError);
    await expect(association.report({ ...EVENT, sopClassUid: '1.2.3' })).rejects.toThrow(NoPresentationContextError);
    await association.release();
  });
});
