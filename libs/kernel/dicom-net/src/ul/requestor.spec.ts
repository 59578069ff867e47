import { afterEach, describe, expect, it } from '@jest/globals';
import { duplexPair } from 'node:stream';
import {
  AcceptorHarness, settle,
  CT_IMAGE_STORAGE, EXPLICIT_LITTLE, IMPLICIT_LITTLE, ManualTimerSource, RAW_ABORT, RAW_RELEASE_RQ, rawPdu, ScriptedServer, VERIFICATION,
} from '@perennia/testing';
import {
  AssociationAbortedError, AssociationRejectedError, AssociationTransportError, NoPresentationContextError,
} from './association-error.js';
import { DicomRequestor } from './requestor.js';
import type { RequestorOptions } from './requestor-options.js';

const OPTIONS: RequestorOptions = {
  host: '127.0.0.1', port: 1, callingAet: 'SCU', calledAet: 'SCP',
  contexts: [
    { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LITTLE] },
    { abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [EXPLICIT_LITTLE] },
  ],
};
const object = (dataset: Buffer | AsyncIterable<Buffer>, sopInstanceUid = '1.2.3') =>
  ({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, dataset });

function connectTo(harness: AcceptorHarness, over: Partial<RequestorOptions> = {}) {
  return DicomRequestor.connect({
    ...OPTIONS,
    connect: () => {
      const [ours, theirs] = duplexPair();
      harness.acceptor.handleSocket(theirs, { address: '192.0.2.1', port: 1 });
      return ours;
    },
    ...over,
  });
}

async function* failing(afterBytes = 300_000): AsyncGenerator<Buffer> {
  yield Buffer.alloc(afterBytes);
  throw new Error('disk gone');
}

let server: ScriptedServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});
async function script(play: Parameters<typeof ScriptedServer.listen>[0]): Promise<number> {
  server = await ScriptedServer.listen(play);
  return server.port;
}

describe('requestor against our acceptor', () => {
  it('echoes, stores buffers and streams, reports statuses, releases', async () => {
    const harness = new AcceptorHarness();
    const association = await connectTo(harness);
    expect(await association.echo()).toBe(0);
    const large = Buffer.alloc(700_001, 'ab');
    expect(await association.store(object(large))).toEqual({ status: 0 });
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let at = 0; at < large.length; at += 9_999) yield large.subarray(at, at + 9_999);
    }
    harness.sinkScript = { end: () => ({ status: 0xb007, errorComment: 'coerced' }) };
    expect(await association.store(object(chunks(), '1.2.4'))).toEqual({ status: 0xb007, errorComment: 'coerced' });
    expect(harness.objects.map((one) => [one.request.sopInstanceUid, one.bytes.equals(large)])).toEqual([['1.2.3', true], ['1.2.4', true]]);
    await association.release();
    await settle();
    expect(harness.types()).toEqual(['accepted', 'released']);
  });

  it('given a window of three, then three are under way at once and a release waits for all', async () => {
    const harness = new AcceptorHarness();
    const ends: (() => void)[] = [];
    harness.sinkScript = { end: () => new Promise((resolve) => ends.push(() => resolve({ status: 0 }))) };
    const association = await connectTo(harness, { operationsWindow: { maxInvoked: 3, maxPerformed: 1 } });
    expect(association.operationsWindow.maxInvoked).toBe(3);
    const answers = [1, 2, 3, 4].map((n) => association.store(object(Buffer.alloc(10), `1.${n}`)));
    await settle();
    expect(ends).toHaveLength(3);
    for (const end of ends.splice(0)) end();
    await settle();
    ends[0]?.();
    expect(await Promise.all(answers)).toEqual([{ status: 0 }, { status: 0 }, { status: 0 }, { status: 0 }]);
    await association.release();
  });

  it('given an association that ends while several wait for the window, then each of them fails', async () => {
    const harness = new AcceptorHarness();
    harness.sinkScript = { end: () => new Promise(() => undefined) };
    const association = await connectTo(harness);
    const stores = Promise.allSettled([1, 2, 3, 4].map((n) => association.store(object(Buffer.alloc(10), `1.${n}`))));
    await settle();
    association.abort();
    expect((await stores).map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
  });

  it('given nothing accepted that fits, then it says what is missing', async () => {
    const harness = new AcceptorHarness({ authorize: () => ({ accept: true, acceptContext: () => 3 }) });
    const association = await connectTo(harness);
    await expect(association.echo()).rejects.toThrow(NoPresentationContextError);
    await expect(association.store(object(Buffer.alloc(2)))).rejects.toThrow(CT_IMAGE_STORAGE);
    association.abort();
    await settle();
    expect(harness.events.at(-1)).toMatchObject({ type: 'aborted', by: 'peer', abort: { source: 0 } });
  });

  it('given a dataset that fails in the middle, then the association is aborted and nothing is half stored', async () => {
    const harness = new AcceptorHarness();
    const association = await connectTo(harness);
    await expect(association.store(object(failing()))).rejects.toThrow('disk gone');
    await settle();
    expect(harness.objects[0]?.fate).toBe('aborted');
    await expect(association.store(object(Buffer.alloc(2)))).rejects.toThrow(AssociationAbortedError);
  });

  it('given a dataset that fails before any of it has left, then it fails alone and the association goes on', async () => {
    const harness = new AcceptorHarness();
    const association = await connectTo(harness);
    await expect(association.store(object(failing(10_000)))).rejects.toThrow('disk gone');
    expect(await association.store(object(Buffer.alloc(2)))).toEqual({ status: 0 });
    await association.release();
    expect(harness.objects).toHaveLength(1);
  });

  it('passes on roles, extended negotiation and identity', async () => {
    const seen: unknown[] = [];
    const harness = new AcceptorHarness({
      authorize: (request) => {
        seen.push(request.userIdentity?.primaryField.toString(), request.roles);
        return {
          accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }),
          acceptExtended: () => Buffer.from([9]), userIdentityResponse: Buffer.from('hello'),
        };
      },
    });
    const roles = [{ sopClassUid: CT_IMAGE_STORAGE, scu: true, scp: true }];
    const association = await connectTo(harness, {
      roles, extendedNegotiations: [{ sopClassUid: CT_IMAGE_STORAGE, information: Buffer.from([1, 2]) }],
      userIdentity: { type: 1, positiveResponseRequested: true, primaryField: Buffer.from('alice'), secondaryField: Buffer.alloc(0) },
    });
    expect(seen).toEqual(['alice', roles]);
    expect(association).toMatchObject({ roles, userIdentityResponse: Buffer.from('hello') });
    expect(association.extendedNegotiations).toEqual([{ sopClassUid: CT_IMAGE_STORAGE, information: Buffer.from([9]) }]);
    await association.release();
  });
});

describe('requestor against broken peers', () => {
  it('given a rejection, then the error carries its numbers and whether to try again', async () => {
    const port = await script(async (peer) => void (await peer.expect(1), peer.send(rawPdu(3, Buffer.from([0, 2, 3, 2])))));
    const failure = DicomRequestor.connect({ ...OPTIONS, port });
    await expect(failure).rejects.toMatchObject({ retriable: true, rejection: { result: 2, source: 3, reason: 2 } });
    await expect(failure).rejects.toThrow(AssociationRejectedError);
  });

  it.each([
    ['garbage', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), AssociationAbortedError],
    ['an abort', RAW_ABORT, AssociationAbortedError],
    ['a release', RAW_RELEASE_RQ, AssociationAbortedError],
    ['a malformed acceptance', rawPdu(2, Buffer.concat([Buffer.alloc(68), Buffer.from([0x21, 0, 0, 9])])), AssociationAbortedError],
  ])('given %s instead of an answer, then connecting fails', async (_name, bytes, error) => {
    const port = await script(async (peer) => void (await peer.expect(1), peer.send(bytes)));
    await expect(DicomRequestor.connect({ ...OPTIONS, port })).rejects.toThrow(error);
  });

  it('given a peer that vanishes, or a port nobody listens on, then a transport error', async () => {
    const port = await script(async (peer) => void (await peer.expect(1), peer.vanish()));
    await expect(DicomRequestor.connect({ ...OPTIONS, port })).rejects.toThrow(AssociationTransportError);
    await expect(DicomRequestor.connect({ ...OPTIONS, port: 1 })).rejects.toThrow(AssociationTransportError);
  });

  it('given a peer that never answers, then the timeout aborts', async () => {
    const timers = new ManualTimerSource();
    const port = await script(async (peer) => void (await peer.expect(1), timers.advance(30_000)));
    await expect(DicomRequestor.connect({ ...OPTIONS, port, timers })).rejects.toThrow('did not answer in time');
  });

  it('given a peer that stops reading, then the timeout aborts', async () => {
    const harness = new AcceptorHarness();
    harness.sinkScript = { write: () => new Promise(() => undefined) };
    const timers = new ManualTimerSource();
    const association = await connectTo(harness, { timers });
    const stuck = association.store(object(Buffer.alloc(2_000_000)));
    await settle();
    timers.advance(59_999);
    await settle();
    expect([...harness.acceptor.associations]).toHaveLength(1);
    timers.advance(1);
    await expect(stuck).rejects.toThrow('did not answer in time');
  });

  it('given an acceptor that aborts during a store, then the store fails with the reason', async () => {
    const harness = new AcceptorHarness();
    harness.sinkScript = { write: () => [...harness.acceptor.associations].forEach((one) => one.abort('because')) };
    const association = await connectTo(harness);
    await expect(association.store(object(Buffer.alloc(100)))).rejects.toThrow(AssociationAbortedError);
  });
});
