import { describe, expect, it } from '@jest/globals';
import { IMPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RQ, rawCancel, rawData, rawEchoRq, rawPdv, type ScriptedPeer, settle } from '@perennia/testing';
import { DimseFailure } from './dimse-failure.js';
import type { DimseServices } from './dimse-services.js';
import { QueryRetrieveSopClass } from './query-retrieve-sop-class.js';
import { atOnce, counts, countsOf, done, getting, harnessOf, message, MOVE, moving, peerOf, rawRetrieve, Steered } from '../../test-parts/retrieve-peer.js';
import type { MoveRequest, RetrieveOutcome } from './retrieve-service.js';

describe('C-MOVE as SCP', () => {
  it('D07: given a request, then the service learns everything about it', async () => {
    const seen: { request: MoveRequest; identifier: string }[] = [];
    const peer = await peerOf(harnessOf(moving((request, identifier) => {
      seen.push({ request, identifier: identifier.toString() });
      return atOnce(done(0));
    })));
    peer.send(rawRetrieve(MOVE, 9, { priority: 1 }));
    expect(await message(peer)).toMatchObject({ commandField: 0x8021, messageIdRespondedTo: 9, status: 0, contextId: MOVE, dataset: null });
    expect(seen).toMatchObject([{ identifier: 'identifier', request: {
      sopClassUid: QueryRetrieveSopClass.studyRootMove, transferSyntaxUid: IMPLICIT_LITTLE, callingAet: 'PEER', calledAet: 'PERENNIA', messageId: 9,
      moveDestination: 'WORKSTATION', priority: 'high', session: 'session', associationId: 1, peer: { address: '192.0.2.1' },
    } }]);
  });

  it('D07: given progress, then the first is told at once, the newest after each interval, and the end without what remains', async () => {
    const steered = new Steered();
    const harness = harnessOf(moving((request) => steered.steps(request)));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(MOVE, 1));
    await steered.yields(counts(5, 0));
    expect(await message(peer)).toMatchObject({ status: 0xff00, dataset: null, commandField: 0x8021 });
    await steered.yields(counts(4, 1));
    await steered.yields(counts(3, 2));
    harness.timers.advance(999);
    await settle();
    expect(peer.unread).toEqual([]);
    harness.timers.advance(1);
    expect(countsOf(await message(peer))).toEqual([3, 2, 0, 0]);
    harness.timers.advance(10_000);
    await settle();
    expect(peer.unread).toEqual([]);
    await steered.yields(counts(1, 2, 1, 1));
    expect(countsOf(await message(peer))).toEqual([1, 2, 1, 1]);
    await steered.yields(counts(0, 3, 1, 1));
    await steered.returns(done(3, 1, 1));
    const final = await message(peer);
    expect([final.status, ...countsOf(final)]).toEqual([0xb000, -1, 3, 1, 1]);
    harness.timers.advance(10_000);
    await settle();
    expect(peer.unread).toEqual([]);
    expect(steered).toMatchObject({ ended: 1, aborted: 0 });
  });

  const implicitList = (...uids: string[]): string => {
    const value = uids.join('\\');
    const even = value.length % 2 ? `${value}\0` : value;
    return `\x08\0\x58\0${String.fromCharCode(even.length)}\0\0\0${even}`;
  };
  it.each<[string, RetrieveOutcome, number, number[], string | null]>([
    ['all completed', done(3), 0, [-1, 3, 0, 0], null],
    ['none asked for', done(0), 0, [-1, 0, 0, 0], null],
    ['some failed', { ...done(2, 2), failedSopInstanceUids: ['1.2.3', '1.2.44'] }, 0xb000, [-1, 2, 2, 0], implicitList('1.2.3', '1.2.44')],
    ['some with warnings', done(2, 0, 1), 0xb000, [-1, 2, 0, 1], null],
    ['all failed', { ...done(0, 1), failedSopInstanceUids: ['1.2.3'] }, 0xa702, [-1, 0, 1, 0], implicitList('1.2.3')],
    ['a status of its own', { ...done(1, 1), status: 0xa701, failedSopInstanceUids: ['1.2'] }, 0xa701, [-1, 1, 1, 0], implicitList('1.2')],
    ['success and a list all the same', { ...done(1), status: 0, failedSopInstanceUids: ['1.2'] }, 0, [-1, 1, 0, 0], null],
    ['more than two bytes can say', done(70_000), 0, [-1, 65_535, 0, 0], null],
  ])('D08: given an outcome with %s, then status, numbers and failed instances are told', async (_name, outcome, status, numbers, dataset) => {
    const peer = await peerOf(harnessOf(moving(() => atOnce(outcome))));
    peer.send(rawRetrieve(MOVE, 1));
    const final = await message(peer);
    expect([final.status, countsOf(final), final.dataset]).toEqual([status, numbers, dataset]);
  });

  it('D08: given more failed instances than a value can have, then as many are told as fit', async () => {
    const uids = Array.from({ length: 3000 }, (_, n) => `1.2.3.${'4'.repeat(54)}${String(n).padStart(4, '0')}`);
    const peer = await peerOf(harnessOf(moving(() => atOnce({ ...done(0, 3000), failedSopInstanceUids: uids }))));
    peer.send(rawRetrieve(MOVE, 1));
    const { dataset, failedSubOperations } = await message(peer);
    expect(failedSubOperations).toBe(3000);
    expect(dataset?.slice(8).replace(/\0$/, '').split('\\')).toEqual(uids.slice(0, 1008));
  });

  it.each([
    ['an unknown destination', new DimseFailure(0xa801, 'Unknown move destination'), { status: 0xa801, errorComment: 'Unknown move destination' }, 0],
    ['a defect', new Error('DOE^JANE'), { status: 0xc000, errorComment: '' }, 1],
    ['a status that is pending', new DimseFailure(0xff00), { status: 0xc000 }, 1],
  ])('D08: given %s, then that is the outcome, with the numbers that are known, and the association lives on', async (_name, error, expected, failures) => {
    const steered = new Steered();
    const harness = harnessOf(moving((request) => steered.steps(request)));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(MOVE, 1));
    await steered.throws(error);
    const first = await message(peer);
    expect(first).toMatchObject(expected);
    expect(countsOf(first)).toEqual([-1, -1, -1, -1]);
    peer.send(rawRetrieve(MOVE, 2));
    await steered.yields(counts(2, 1));
    await steered.throws(error);
    await message(peer);
    expect(countsOf(await message(peer))).toEqual([-1, 1, 0, 0]);
    expect(harness.types().filter((type) => type === 'failure')).toHaveLength(2 * failures);
  });

  it.each<[string, number, DimseServices, Buffer]>([
    ['no service for it', 0x0211, { echo: () => 0 }, rawRetrieve(MOVE, 1)],
    ['a service for other SOP classes', 0x0211, getting(() => atOnce(done(0))), rawRetrieve(MOVE, 1)],
    ['another SOP class than the context says', 0x0122, moving(() => atOnce(done(0))), rawRetrieve(MOVE, 1, { sopClassUid: QueryRetrieveSopClass.patientRootMove })],
    ['no identifier', 0xa900, moving(() => atOnce(done(0))), rawRetrieve(MOVE, 1, { dataset: null })],
    ['an identifier that is too long', 0xc000, moving(() => atOnce(done(0))), rawRetrieve(MOVE, 1, { dataset: Buffer.alloc(65_538) })],
  ])('given %s, then %d before the service sees it, and the association lives on', async (_name, status, services, request) => {
    const harness = harnessOf(services);
    const peer = await peerOf(harness);
    peer.send(request);
    expect(await message(peer)).toMatchObject({ status, messageIdRespondedTo: 1 });
    expect(harness.events.at(-1)).toMatchObject({ type: 'refused-operation', status });
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(2))));
    expect(await message(peer)).toMatchObject({ status: 0 });
  });

  it('given a C-CANCEL, then FE00 with what the service says was done', async () => {
    const steered = new Steered();
    const peer = await peerOf(harnessOf(moving((request) => steered.steps(request))));
    peer.send(rawRetrieve(MOVE, 4));
    await steered.yields(counts(3, 1));
    await message(peer);
    peer.send(rawCancel(4, MOVE), rawCancel(4, MOVE));
    await settle();
    expect([steered.aborted, peer.unread.length]).toEqual([1, 0]);
    await steered.returns({ ...done(2, 1), remaining: 1, failedSopInstanceUids: ['1.2'] });
    const final = await message(peer);
    expect([final.status, final.dataset?.slice(8), ...countsOf(final)]).toEqual([0xfe00, '1.2\0', 1, 2, 1, 0]);
  });

  it('given more requests than the window, then 0213 for those, and a C-CANCEL behind them gets through', async () => {
    const steered = new Steered();
    const peer = await peerOf(harnessOf(moving((request) => steered.steps(request))));
    peer.send(rawRetrieve(MOVE, 4), rawRetrieve(MOVE, 5), rawData(rawPdv(3, 3, rawEchoRq(6))), rawCancel(4, MOVE));
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 5, status: 0x0213 });
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 6, status: 0x0213 });
    await steered.returns(done(0));
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 4, status: 0xfe00 });
  });

  it.each(['throws', 'does not listen'])('given a C-CANCEL and a service that %s, then FE00 within half a second, with the progress before', async (way) => {
    const steered = new Steered();
    const harness = harnessOf(moving((request) => steered.steps(request)));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(MOVE, 4));
    await steered.yields(counts(3, 1));
    await message(peer);
    peer.send(rawCancel(4, MOVE));
    await settle();
    if (way === 'throws') await steered.throws(new Error('connection of the database cancelled'));
    else harness.timers.advance(500);
    const final = await message(peer);
    expect([final.status, ...countsOf(final)]).toEqual([0xfe00, 3, 1, 0, 0]);
    await steered.yields(counts(2, 2));
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(5))), RAW_RELEASE_RQ);
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 5, status: 0 });
    await peer.expect(6);
    expect([steered.ended, harness.types()]).toEqual([1, ['accepted', 'released']]);
  });

  it.each([
    ['aborts', (peer: ScriptedPeer): void => void peer.send(RAW_ABORT), 'aborted'],
    ['vanishes', (peer: ScriptedPeer): void => peer.vanish(), 'aborted'],
    ['releases', (peer: ScriptedPeer): void => void peer.send(RAW_RELEASE_RQ), 'released'],
  ] as const)('given a peer that %s in the middle, then the service is told once, and nothing more is answered', async (_name, leave, event) => {
    const steered = new Steered();
    const harness = harnessOf(moving((request) => steered.steps(request)));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(MOVE, 1));
    await steered.yields(counts(3, 1));
    await message(peer);
    leave(peer);
    await settle();
    await steered.yields(counts(2, 2));
    await settle();
    expect(steered).toMatchObject({ aborted: 1, ended: 1 });
    expect(harness.types()).toEqual(['accepted', event]);
    expect(peer.unread.map((pdu) => pdu.type)).toEqual(event === 'released' ? [6] : []);
    harness.timers.advance(10_000);
    expect(harness.timers.pending).toBe(0);
  });
});
