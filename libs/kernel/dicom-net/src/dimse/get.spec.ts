import { describe, expect, it } from '@jest/globals';
import {
  CT_IMAGE_STORAGE, EXPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RQ, rawCancel, rawData, rawEchoRq, rawPdv, type ScriptedPeer, settle,
} from '@perennia/testing';
import {
  AS_SCP, counts, countsOf, done, GET, getting, harnessOf, type Message, message, peerOf, rawRetrieve, rawStoreRsp, Steered, window,
} from '../../test-parts/retrieve-peer.js';
import type { GetRequest, RetrieveOutcome, SubOperations } from './retrieve-service.js';

describe('C-GET as SCP', () => {
  const object = (sopInstanceUid: string, dataset: Buffer | AsyncIterable<Buffer> = Buffer.from('dataset!')) =>
    ({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, dataset });

  /** Sends these, all at once or one after the other, and counts what becomes of them. */
  async function* sending(request: GetRequest, uids: readonly string[], dataset?: Buffer): AsyncGenerator<SubOperations, RetrieveOutcome> {
    let completed = 0;
    const failedSopInstanceUids: string[] = [];
    for (const uid of uids) {
      const { status } = await request.store(object(uid, dataset));
      if (status === 0) completed++;
      else failedSopInstanceUids.push(uid);
      yield counts(uids.length - completed - failedSopInstanceUids.length, completed, failedSopInstanceUids.length);
    }
    return { ...done(completed, failedSopInstanceUids.length), failedSopInstanceUids };
  }

  it('D10: given the role of an SCP, then objects come by C-STORE on the same association, one at a time, and the counts tell of them', async () => {
    const requests: GetRequest[] = [];
    const peer = await peerOf(harnessOf(getting((request) => {
      requests.push(request);
      return sending(request, ['1.1', '1.2', '1.3']);
    })));
    peer.send(rawRetrieve(GET, 5));
    const stores: Message[] = [];
    for (const status of [0, 0xa700, 0]) {
      const store = await message(peer);
      stores.push(store);
      await settle();
      expect(peer.unread).toEqual([]);
      peer.send(rawStoreRsp(store.messageId, status));
      if (stores.length === 1) expect(countsOf(await message(peer))).toEqual([2, 1, 0, 0]);
    }
    expect(stores.map((store) => [store.contextId, store.commandField, store.affectedSopInstanceUid, store.dataset])).toEqual([
      [1, 1, '1.1', 'dataset!'], [1, 1, '1.2', 'dataset!'], [1, 1, '1.3', 'dataset!'],
    ]);
    const final = await message(peer);
    expect([final.commandField, final.status, final.contextId, ...countsOf(final)]).toEqual([0x8010, 0xb000, GET, -1, 2, 1, 0]);
    expect(final.dataset).toContain('1.2');
    expect(requests[0]?.storageContexts).toMatchObject([{ id: 1, abstractSyntax: CT_IMAGE_STORAGE, transferSyntax: EXPLICIT_LITTLE }]);
    peer.send(RAW_RELEASE_RQ);
    await peer.expect(6);
  });

  it('D10: given no role of an SCP, then nothing can be sent, and the service is told before anything is', async () => {
    const errors: unknown[] = [];
    const peer = await peerOf(harnessOf(getting(async function* (request) {
      yield counts(1, 0);
      await request.store(object('1.1')).catch((error: unknown) => errors.push(error));
      return done(0, request.storageContexts.length + 1);
    })), []);
    peer.send(rawRetrieve(GET, 5));
    await message(peer);
    expect(await message(peer)).toMatchObject({ status: 0xa702, failedSubOperations: 1 });
    expect(errors).toMatchObject([{ code: 'NO_PRESENTATION_CONTEXT' }]);
  });

  it.each([[1, 1], [3, 3], [0, 4]])('given a peer that performs %d at once, then as many are under way (%d of 4)', async (performed, under) => {
    const peer = await peerOf(harnessOf(getting(async function* (request) {
      yield counts(4, 0);
      const outcomes = await Promise.all(['1.1', '1.2', '1.3', '1.4'].map((uid) => request.store(object(uid))));
      return done(outcomes.length);
    })), [AS_SCP, window(1, performed)]);
    peer.send(rawRetrieve(GET, 5));
    await message(peer);
    const open: number[] = [];
    for (let n = 0; n < under; n++) open.push((await message(peer)).messageId);
    await settle();
    expect(peer.unread).toEqual([]);
    expect(new Set(open).size).toBe(under);
    for (let left = 4; left > 0; left--) {
      peer.send(rawStoreRsp(open.pop() ?? 0));
      if (left > under) open.push((await message(peer)).messageId);
    }
    expect(await message(peer)).toMatchObject({ status: 0, completedSubOperations: 4 });
  });

  it('given progress and another answer while an object is being written, then they wait behind it: fragments are never mixed', async () => {
    let goOn: () => void = () => undefined;
    async function* slow(): AsyncGenerator<Buffer> {
      for (let n = 0; n < 3; n++) {
        yield Buffer.alloc(200_000, n);
        await new Promise<void>((resolve) => (goOn = resolve));
      }
    }
    const peer = await peerOf(harnessOf(getting(async function* (request) {
      const stored = request.store(object('1.1', slow()));
      await settle();
      yield counts(1, 0);
      const { status } = await stored;
      return done(1, status);
    })), [AS_SCP, window(2, 1)]);
    peer.send(rawRetrieve(GET, 5));
    await settle();
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(6))));
    for (let n = 0; n < 3; n++) {
      await settle();
      goOn();
    }
    const store = await message(peer);
    expect(store.dataset).toHaveLength(600_000);
    const behind = [await message(peer), await message(peer)];
    expect(behind.map((one) => one.commandField).toSorted()).toEqual([0x8010, 0x8030]);
    peer.send(rawStoreRsp(store.messageId));
    expect(await message(peer)).toMatchObject({ status: 0, completedSubOperations: 1 });
  });

  it('given more requests than the window while sub-operations are under way, then 0213 for those, and the sub-operations go on', async () => {
    const peer = await peerOf(harnessOf(getting((request) => sending(request, ['1.1']))));
    peer.send(rawRetrieve(GET, 5));
    const store = await message(peer);
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(6))), rawRetrieve(GET, 7), rawStoreRsp(store.messageId));
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 6, status: 0x0213 });
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 7, status: 0x0213 });
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 5, status: 0xff00 });
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 5, status: 0 });
  });

  it.each([
    ['before any of it has left', 1000, 0xa702, ['accepted']],
    ['in the middle', 500_000, null, ['accepted', 'aborted']],
  ] as const)('given a dataset that fails %s, then %d bytes decide whether it fails alone or ends the association', async (_name, bytes, status, types) => {
    const errors: unknown[] = [];
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(bytes);
      throw new Error('disk gone');
    }
    const harness = harnessOf(getting(async function* (request) {
      yield counts(1, 0);
      await request.store(object('1.1', failing())).catch((error: unknown) => errors.push((error as Error).message));
      return done(0, 1);
    }));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(GET, 5));
    await message(peer);
    if (status) expect(await message(peer)).toMatchObject({ status, failedSubOperations: 1 });
    await settle();
    expect([errors, harness.types()]).toEqual([['disk gone'], types]);
    harness.timers.advance(10_000);
  });

  it('given a C-CANCEL while an object is under way, then no other is begun, and FE00 comes behind its answer', async () => {
    const harness = harnessOf(getting((request) => sending(request, ['1.1', '1.2', '1.3'])));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(GET, 5));
    const first = await message(peer);
    peer.send(rawStoreRsp(first.messageId));
    await message(peer);
    const second = await message(peer);
    peer.send(rawCancel(5, GET), rawStoreRsp(second.messageId));
    const final = await message(peer);
    expect([final.status, ...countsOf(final)]).toEqual([0xfe00, 1, 2, 0, 0]);
    await settle();
    expect(peer.unread).toEqual([]);
  });

  it('given a C-CANCEL and a peer that answers the object under way late, then FE00 after half a second, and the late answer disturbs nobody', async () => {
    const errors: unknown[] = [];
    const harness = harnessOf(getting(async function* (request) {
      yield counts(2, 0);
      const outcomes = await Promise.allSettled([request.store(object('1.1')), request.store(object('1.2'))]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') errors.push((outcome.reason as Error).name);
      return done(1);
    }));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(GET, 5));
    await message(peer);
    const store = await message(peer);
    peer.send(rawCancel(5, GET));
    await settle();
    harness.timers.advance(500);
    const final = await message(peer);
    expect([final.status, ...countsOf(final)]).toEqual([0xfe00, 2, 0, 0, 0]);
    peer.send(rawStoreRsp(store.messageId), rawData(rawPdv(3, 3, rawEchoRq(6))));
    expect(await message(peer)).toMatchObject({ messageIdRespondedTo: 6, status: 0 });
    expect([errors, harness.types()]).toEqual([['AbortError'], ['accepted']]);
  });

  it('given an answer to nothing we sent, then A-ABORT 2/5', async () => {
    const peer = await peerOf(harnessOf(getting((request) => sending(request, ['1.1']))));
    peer.send(rawRetrieve(GET, 5));
    const store = await message(peer);
    peer.send(rawStoreRsp(store.messageId + 1));
    const body = await peer.expect(7);
    expect([body[2], body[3]]).toEqual([2, 5]);
  });

  it('given a peer that does not answer an object for 60 s, then it is aborted, and the service is told once', async () => {
    const errors: unknown[] = [];
    const harness = harnessOf(getting(async function* (request) {
      yield counts(1, 0);
      await request.store(object('1.1')).catch((error: unknown) => errors.push(error));
      return done(0, 1);
    }));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(GET, 5));
    await message(peer);
    await message(peer);
    harness.timers.advance(59_000);
    await settle();
    expect(harness.types()).toEqual(['accepted']);
    harness.timers.advance(2_000);
    await peer.expect(7);
    await settle();
    expect(harness.events.at(-1)).toMatchObject({ type: 'aborted', by: 'us', detail: 'idle for 60000 ms' });
    expect(errors).toMatchObject([{ code: 'ASSOCIATION_ABORTED' }]);
    harness.timers.advance(10_000);
    expect(harness.timers.pending).toBe(0);
  });

  it('given a service that takes its time between objects, then the association is not idle', async () => {
    const steered = new Steered();
    const harness = harnessOf(getting((request) => steered.steps(request)));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(GET, 5));
    await settle();
    harness.timers.advance(600_000);
    await steered.returns(done(0));
    expect(await message(peer)).toMatchObject({ status: 0 });
  });

  it.each([
    ['aborts', (peer: ScriptedPeer): void => void peer.send(RAW_ABORT), 'ASSOCIATION_ABORTED', 'aborted'],
    ['vanishes', (peer: ScriptedPeer): void => peer.vanish(), 'ASSOCIATION_TRANSPORT', 'aborted'],
    ['releases', (peer: ScriptedPeer): void => void peer.send(RAW_RELEASE_RQ), 'ASSOCIATION_TRANSPORT', 'released'],
  ] as const)('given a peer that %s while an object is under way, then it fails, once, and so do those behind it', async (_name, leave, code, event) => {
    const errors: unknown[] = [];
    let ended = 0;
    const harness = harnessOf(getting(async function* (request) {
      try {
        yield counts(2, 0);
        const outcomes = await Promise.allSettled([request.store(object('1.1')), request.store(object('1.2'))]);
        for (const outcome of outcomes) if (outcome.status === 'rejected') errors.push(outcome.reason);
        return done(0, 2);
      } finally {
        ended++;
      }
    }));
    const peer = await peerOf(harness);
    peer.send(rawRetrieve(GET, 5));
    await message(peer);
    await message(peer);
    leave(peer);
    await settle();
    expect([errors.map((error) => (error as { code: string }).code), ended, harness.types()]).toEqual([[code, code], 1, ['accepted', event]]);
    expect(peer.unread.map((pdu) => pdu.type)).toEqual(event === 'released' ? [6] : []);
  });
});
