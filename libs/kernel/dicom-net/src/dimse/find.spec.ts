import { describe, expect, it } from '@jest/globals';
import {
  AcceptorHarness, FIND_CONTEXT, EXPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RQ, rawAssociateRq, rawCancel, rawData, rawEchoRq, rawFind, rawFindRq,
  rawItem, rawPdv, rawStore, rawStoreRq, type ScriptedPeer, settle, STORE_CONTEXT, ECHO_CONTEXT,
} from '@perennia/testing';
import { DimseFailure } from './dimse-failure.js';
import type { FindAnswer, FindOutcome, FindRequest, FindService } from './find-service.js';
import { NO_QUERY_EXTENSIONS } from './query-extensions.js';
import { QUERY_SOP_CLASSES, QueryRetrieveSopClass } from './query-retrieve-sop-class.js';

type Search = (request: FindRequest, identifier: Buffer) => AsyncIterable<FindAnswer, FindOutcome | void>;
const CONTEXTS = [STORE_CONTEXT, ECHO_CONTEXT, FIND_CONTEXT];
const WINDOW_OF_TWO = Buffer.from([0x53, 0, 0, 4, 0, 2, 0, 1]);
const answer = (text: string): FindAnswer => ({ identifier: Buffer.from(text) });

async function* nothing(outcome?: FindOutcome): AsyncGenerator<FindAnswer, FindOutcome | void> {
  yield* [];
  return outcome;
}

function harnessOf(find: Search, over: Partial<ConstructorParameters<typeof AcceptorHarness>[0]> = {}) {
  const service: FindService = { sopClassUids: QUERY_SOP_CLASSES, find };
  return new AcceptorHarness({
    services: { echo: () => 0, store: { begin: () => ({ write: () => undefined, end: () => ({ status: 0 }), abort: () => undefined }) }, find: service },
    ...over,
  });
}
async function peerOf(harness: AcceptorHarness, userItems: Buffer[] = []): Promise<ScriptedPeer> {
  const peer = harness.connect();
  await peer.associate(rawAssociateRq({ contexts: CONTEXTS, userItems }));
  return peer;
}

/** A search that is seen to begin and to end, and goes on until it is left. */
function endless(first: readonly FindAnswer[] = []) {
  const seen = { begun: 0, ended: 0, aborted: 0 };
  const find: Search = async function* (request) {
    seen.begun++;
    request.signal.addEventListener('abort', () => seen.aborted++);
    try {
      yield* first;
      request.signal.throwIfAborted();
      await new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new Error('connection of the database cancelled'))));
    } finally {
      seen.ended++;
    }
  };
  return { seen, find };
}

describe('C-FIND as SCP: answers', () => {
  it('given a request, then the service learns everything about it, and its matches and outcome are the answers', async () => {
    const seen: { request: FindRequest; identifier: string }[] = [];
    const harness = harnessOf(async function* (request, identifier) {
      seen.push({ request, identifier: identifier.toString() });
      yield answer('one!');
      yield { ...answer('two!'), status: 0xff01 };
      return { status: 0xb000, errorComment: 'some keys were ignored' };
    }, { authorize: () => ({ accept: true, session: { tenant: 7 }, acceptContext: (_, offered) => offered[0] ?? 4 }) });
    const peer = await peerOf(harness);
    peer.send(rawFind(9, Buffer.from('identifier')));
    const common = { contextId: 5, commandField: 0x8020, messageId: 9 };
    expect(await peer.findResponse()).toMatchObject({ ...common, status: 0xff00, identifier: Buffer.from('one!') });
    expect(await peer.findResponse()).toMatchObject({ ...common, status: 0xff01, identifier: Buffer.from('two!') });
    expect(await peer.findResponse()).toMatchObject({ ...common, status: 0xb000, errorComment: 'some keys were ignored', identifier: null });
    expect(seen[0]?.identifier).toBe('identifier');
    expect(seen[0]?.request).toMatchObject({
      sopClassUid: QueryRetrieveSopClass.studyRootFind, transferSyntaxUid: EXPLICIT_LITTLE, callingAet: 'PEER', calledAet: 'PERENNIA', messageId: 9,
      peer: { address: '192.0.2.1', port: 4242 }, associationId: 1, session: { tenant: 7 }, extensions: NO_QUERY_EXTENSIONS,
    });
    expect([...harness.acceptor.associations].map((one) => one.outstandingOperations)).toEqual([0]);
  });

  it('given no match, then the only answer is success', async () => {
    const peer = await peerOf(harnessOf(() => nothing()));
    peer.send(rawFind(1, Buffer.from('ab')));
    expect(await peer.findResponse()).toMatchObject({ status: 0, identifier: null });
  });

  it('given negotiated extensions, then the service knows what was granted', async () => {
    const requests: FindRequest[] = [];
    const harness = harnessOf((request) => {
      requests.push(request);
      return nothing();
    }, {
      authorize: () => ({
        accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptQueryExtensions: (_, proposed) => ({ ...proposed, dateTimeMatching: false }),
      }),
    });
    const uid = Buffer.from(FIND_CONTEXT.abstractSyntax);
    const peer = await peerOf(harness, [rawItem(0x56, Buffer.concat([Buffer.from([0, uid.length]), uid, Buffer.from([1, 1, 1])]))]);
    peer.send(rawFind(1, Buffer.from('ab')));
    await peer.findResponse();
    expect(requests[0]?.extensions).toEqual({ ...NO_QUERY_EXTENSIONS, relationalQueries: true, fuzzySemanticMatching: true });
  });

  it('given identifiers of every size around the maximum of the peer, then fragments obey it and add up', async () => {
    const sizes = [0, 92, 94, 96, 200, 1000];
    const peer = harnessOf(async function* () {
      for (const size of sizes) yield { identifier: Buffer.alloc(size, size) };
    }).connect();
    await peer.associate(rawAssociateRq({ contexts: CONTEXTS, maxPduBytes: 100 }));
    peer.send(rawFind(1, Buffer.from('ab')));
    await settle();
    expect(Math.max(...peer.unread.map((pdu) => pdu.body.length))).toBeLessThanOrEqual(100);
    for (const size of sizes) expect((await peer.findResponse()).identifier).toEqual(Buffer.alloc(size, size));
    expect((await peer.findResponse()).status).toBe(0);
  });

  it.each([
    ['an identifier of the largest size', 65_536, 0, ''],
    ['two bytes more', 65_538, 0xc000, 'The identifier has more than 65536 bytes'],
    ['a megabyte', 1_048_576, 0xc000, 'The identifier has more than 65536 bytes'],
  ])('given %s, then it is taken or drained, and the association lives on', async (_name, bytes, status, errorComment) => {
    const sizes: number[] = [];
    const harness = harnessOf((_request, identifier) => {
      sizes.push(identifier.length);
      return nothing();
    });
    const peer = await peerOf(harness);
    peer.send(rawData(rawPdv(5, 3, rawFindRq(1))));
    for (let left = bytes; left > 0; left -= 65_536) peer.send(rawData(rawPdv(5, left <= 65_536 ? 2 : 0, Buffer.alloc(Math.min(left, 65_536)))));
    expect(await peer.findResponse()).toMatchObject({ status, errorComment, identifier: null });
    expect(sizes).toEqual(status === 0 ? [bytes] : []);
    expect(harness.types()).toEqual(status === 0 ? ['accepted'] : ['accepted', 'refused-operation']);
    peer.send(rawFind(2, Buffer.from('ab')));
    expect((await peer.findResponse()).status).toBe(0);
  });
});

describe('C-FIND as SCP: refusals and failures', () => {
  const none = (): Search => () => nothing();
  it.each([
    ['no service for it', 0x0211, new AcceptorHarness(), rawFind(1, Buffer.from('ab'))],
    ['a context of another kind', 0x0211, harnessOf(none()), Buffer.concat([
      rawData(rawPdv(1, 3, rawFindRq(1, STORE_CONTEXT.abstractSyntax))), rawData(rawPdv(1, 2, Buffer.from('ab'))),
    ])],
    ['another SOP class than the context says', 0x0122, harnessOf(none()), Buffer.concat([
      rawData(rawPdv(5, 3, rawFindRq(1, QueryRetrieveSopClass.patientRootFind))), rawData(rawPdv(5, 2, Buffer.from('ab'))),
    ])],
    ['no identifier', 0xa900, harnessOf(none()), rawData(rawPdv(5, 3, withoutDataset(rawFindRq(1))))],
    ['a C-STORE on a query context', 0x0211, harnessOf(none()), Buffer.concat([
      rawData(rawPdv(5, 3, rawStoreRq(1, '1.2.3', FIND_CONTEXT.abstractSyntax))), rawData(rawPdv(5, 2, Buffer.from('ab'))),
    ])],
  ])('given %s, then %d, and the association lives on', async (_name, status, harness, request) => {
    const peer = await peerOf(harness);
    peer.send(request);
    expect(await peer.response()).toMatchObject({ status, messageId: 1 });
    expect(harness.events.at(-1)).toMatchObject({ type: 'refused-operation', status });
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(2))));
    expect((await peer.response()).status).toBe(0);
  });

  const failing = (when: 'at once' | 'later' | 'before it returns', error: unknown): Search => {
    if (when === 'at once') return () => { throw error; };
    return async function* () {
      if (when === 'later') yield answer('one!');
      throw error;
    };
  };
  it.each([
    ['at once', 'refused', new DimseFailure(0xa700, 'too many matches'), { status: 0xa700, errorComment: 'too many matches' }, 0],
    ['before it returns', 'refused', new DimseFailure(0xa900), { status: 0xa900, errorComment: '' }, 0],
    ['later', 'refused', new DimseFailure(0xc001), { status: 0xc001 }, 0],
    ['at once', 'broken', new Error('DOE^JANE'), { status: 0xc000, errorComment: '' }, 1],
    ['later', 'broken', new Error('DOE^JANE'), { status: 0xc000, errorComment: '' }, 1],
    ['later', 'confused', new DimseFailure(0xff00), { status: 0xc000 }, 1],
  ] as const)('given a service that throws %s (%s), then that is the final answer and the association lives on', async (when, _name, error, expected, failures) => {
    const harness = harnessOf(failing(when, error));
    const peer = await peerOf(harness);
    peer.send(rawFind(1, Buffer.from('ab')));
    if (when === 'later') expect((await peer.findResponse()).status).toBe(0xff00);
    expect(await peer.findResponse()).toMatchObject(expected);
    expect(harness.types().filter((type) => type === 'failure')).toHaveLength(failures);
    peer.send(rawStore(2, Buffer.from('ab')));
    expect((await peer.response()).status).toBe(0);
  });

  it('given an outcome that is pending, then it is a failure of ours', async () => {
    const harness = harnessOf(() => nothing({ status: 0xff00 }));
    const peer = await peerOf(harness);
    peer.send(rawFind(1, Buffer.from('ab')));
    expect((await peer.findResponse()).status).toBe(0xc000);
    expect(harness.types()).toEqual(['accepted', 'failure']);
  });
});

describe('C-FIND as SCP: cancel, abort, release', () => {
  it('D04 given a C-CANCEL, then the search is aborted and the final answer is FE00', async () => {
    const { seen, find } = endless([answer('one!')]);
    const harness = harnessOf(find);
    const peer = await peerOf(harness);
    peer.send(rawFind(7, Buffer.from('ab')));
    expect((await peer.findResponse()).status).toBe(0xff00);
    peer.send(rawCancel(7));
    expect(await peer.findResponse()).toMatchObject({ status: 0xfe00, messageId: 7, commandField: 0x8020, identifier: null });
    await settle();
    expect(seen).toEqual({ begun: 1, ended: 1, aborted: 1 });
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(8))), RAW_RELEASE_RQ);
    expect((await peer.response()).status).toBe(0);
    await peer.expect(6);
    expect(harness.types()).toEqual(['accepted', 'released']);
  });

  it('given a service that does not listen to its signal, then FE00 comes all the same', async () => {
    const peer = await peerOf(harnessOf(async function* () {
      yield answer('one!');
      await new Promise(() => undefined);
    }));
    peer.send(rawFind(7, Buffer.from('ab')));
    await peer.findResponse();
    peer.send(rawCancel(7));
    expect((await peer.findResponse()).status).toBe(0xfe00);
  });

  it('given matches that are all in memory, then a C-CANCEL still gets through between them', async () => {
    let made = 0;
    const harness = harnessOf(async function* (request) {
      while (!request.signal.aborted) {
        made++;
        yield { identifier: Buffer.alloc(400) };
      }
    });
    const peer = await peerOf(harness);
    peer.send(rawFind(7, Buffer.from('ab')));
    await peer.findResponse();
    peer.send(rawCancel(7));
    let response = await peer.findResponse();
    while (response.status === 0xff00) response = await peer.findResponse();
    expect(response.status).toBe(0xfe00);
    const madeUntilCancelled = made;
    await settle();
    expect(made).toBe(madeUntilCancelled);
  });

  it('given a C-CANCEL of nothing we know, of a store, or of a search that is over, then nothing happens', async () => {
    const { seen, find } = endless();
    const peer = await peerOf(harnessOf(find), [WINDOW_OF_TWO]);
    peer.send(rawCancel(1), rawStore(2, Buffer.from('ab')), rawCancel(2));
    expect(await peer.response()).toMatchObject({ messageId: 2, status: 0 });
    peer.send(rawFind(3, Buffer.from('ab')), rawCancel(4));
    await settle();
    expect(peer.unread).toEqual([]);
    expect(seen).toEqual({ begun: 1, ended: 0, aborted: 0 });
    peer.send(rawCancel(3), rawCancel(3));
    expect((await peer.findResponse()).status).toBe(0xfe00);
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(5))));
    expect(await peer.response()).toMatchObject({ messageId: 5, status: 0 });
  });

  it.each([
    ['aborts', (peer: ScriptedPeer) => peer.send(RAW_ABORT), 'aborted'],
    ['vanishes', (peer: ScriptedPeer) => peer.vanish(), 'aborted'],
    ['releases', (peer: ScriptedPeer) => peer.send(RAW_RELEASE_RQ), 'released'],
  ] as const)('given a peer that %s in the middle, then the search ends, without a further answer', async (_name, leave, event) => {
    const { seen, find } = endless([answer('one!')]);
    const harness = harnessOf(find);
    const peer = await peerOf(harness);
    peer.send(rawFind(1, Buffer.from('ab')));
    await peer.findResponse();
    leave(peer);
    await settle();
    expect(seen).toEqual({ begun: 1, ended: 1, aborted: 1 });
    expect(harness.types()).toEqual(['accepted', event]);
    expect(peer.unread.map((pdu) => pdu.type)).toEqual(event === 'released' ? [6] : []);
  });

  it('given an abort in the middle of the identifier, then no search begins', async () => {
    const { seen, find } = endless();
    const harness = harnessOf(find);
    const peer = await peerOf(harness);
    peer.send(rawData(rawPdv(5, 3, rawFindRq(1))), rawData(rawPdv(5, 0, Buffer.from('ab'))), RAW_ABORT);
    await settle();
    expect(seen.begun).toBe(0);
    expect(harness.types()).toEqual(['accepted', 'aborted']);
  });
});

describe('C-FIND as SCP: several operations', () => {
  it('given a second request of a peer that has a window of one, then it waits for the end of the first', async () => {
    const { seen, find } = endless();
    const peer = await peerOf(harnessOf(find));
    peer.send(rawFind(1, Buffer.from('ab')), rawFind(2, Buffer.from('cd')), rawCancel(2));
    await settle();
    expect(seen.begun).toBe(1);
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(3))));
    await settle();
    expect(peer.unread).toEqual([]);
    expect(seen.begun).toBe(1);
  });

  it.each([
    ['a search', rawFind(2, Buffer.from('cd')), 0xfe00],
    ['a store', rawStore(2, Buffer.from('cd')), 0],
    ['an echo', rawData(rawPdv(3, 3, rawEchoRq(2))), 0],
  ])('given a search that is cancelled and %s right behind, then both are answered in order', async (_name, next, status) => {
    const { find } = endless();
    const peer = await peerOf(harnessOf(find));
    peer.send(rawFind(1, Buffer.from('ab')), rawCancel(1), next, rawCancel(2), rawData(rawPdv(3, 3, rawEchoRq(3))));
    expect(await peer.findResponse()).toMatchObject({ messageId: 1, status: 0xfe00 });
    expect(await peer.response()).toMatchObject({ messageId: 2, status });
    expect(await peer.response()).toMatchObject({ messageId: 3, status: 0 });
  });

  it('given requests behind a search that ends by itself, then they are worked off one by one and a release waits for them', async () => {
    const ends: (() => void)[] = [];
    const peer = await peerOf(harnessOf(async function* () {
      await new Promise<void>((resolve) => ends.push(resolve));
      yield answer('one!');
    }));
    peer.send(
      rawFind(1, Buffer.from('ab')), rawFind(2, Buffer.from('cd')), rawStore(3, Buffer.alloc(100_000)), rawData(rawPdv(3, 3, rawEchoRq(4))),
    );
    for (const messageId of [1, 2]) {
      await settle();
      expect(ends).toHaveLength(1);
      ends.shift()?.();
      expect(await peer.findResponse()).toMatchObject({ messageId, status: 0xff00 });
      expect(await peer.findResponse()).toMatchObject({ messageId, status: 0 });
    }
    expect(await peer.response()).toMatchObject({ messageId: 3, status: 0 });
    expect(await peer.response()).toMatchObject({ messageId: 4, status: 0 });
    peer.send(RAW_RELEASE_RQ);
    await peer.expect(6);
  });

  it('given a window of two, then two searches run at once, the second may be cancelled before the first, and a third waits', async () => {
    const { seen, find } = endless();
    const peer = await peerOf(harnessOf(find), [WINDOW_OF_TWO]);
    peer.send(rawFind(1, Buffer.from('ab')), rawFind(2, Buffer.from('cd')), rawCancel(2));
    expect(await peer.findResponse()).toMatchObject({ messageId: 2, status: 0xfe00 });
    peer.send(rawFind(3, Buffer.from('ab')));
    await settle();
    peer.send(rawCancel(1), rawFind(4, Buffer.from('ab')), rawFind(5, Buffer.from('ab')));
    expect(await peer.findResponse()).toMatchObject({ messageId: 1, status: 0xfe00 });
    await settle();
    expect(seen).toEqual({ begun: 4, ended: 2, aborted: 2 });
  });

  it('given a window of two and an abort, then both searches end', async () => {
    const { seen, find } = endless();
    const peer = await peerOf(harnessOf(find), [WINDOW_OF_TWO]);
    peer.send(rawFind(1, Buffer.from('ab')), rawFind(2, Buffer.from('cd')), RAW_ABORT);
    await settle();
    expect(seen).toEqual({ begun: 2, ended: 2, aborted: 2 });
  });

  it('given a message id that is still being searched for, then 0210', async () => {
    const { find } = endless();
    const peer = await peerOf(harnessOf(find), [WINDOW_OF_TWO]);
    peer.send(rawFind(1, Buffer.from('ab')), rawFind(1, Buffer.from('cd')));
    expect(await peer.response()).toMatchObject({ messageId: 1, status: 0x0210 });
    peer.send(rawCancel(1));
    expect((await peer.findResponse()).status).toBe(0xfe00);
  });
});

function withoutDataset(command: Buffer): Buffer {
  const bytes = Buffer.from(command);
  bytes.writeUInt16LE(0x0101, bytes.length - 2);
  return bytes;
}
