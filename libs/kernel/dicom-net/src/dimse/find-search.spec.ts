import { afterEach, describe, expect, it } from '@jest/globals';
import {
  EXPLICIT_LITTLE, FIND_CONTEXT, ManualTimerSource, RAW_ABORT, rawCommand, rawData, rawElement, rawPdv, ScriptedPeer, ScriptedServer, settle,
} from '@perennia/testing';
import {
  AssociationAbortedError, DicomAcceptor, DicomRequestor, DimseFailure, type FindAnswer, type FindRequest, type FindService, NO_QUERY_EXTENSIONS,
  NoPresentationContextError, proposeQueryExtensions, QUERY_SOP_CLASSES, QueryRetrieveSopClass, type RequestorAssociation, type RequestorOptions,
} from '../index.js';
import { encodeAssociateAc } from '../ul/associate-pdu.js';
import { emptyUserInformation } from '../ul/user-information.js';

const FIND = QueryRetrieveSopClass.studyRootFind;
const OPERATION = { sopClassUid: FIND, transferSyntaxUid: EXPLICIT_LITTLE, identifier: Buffer.from('identifier') };
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function connectTo(port: number, over: Partial<RequestorOptions> = {}): Promise<RequestorAssociation> {
  const contexts = [{ abstractSyntax: FIND, transferSyntaxes: [EXPLICIT_LITTLE] }];
  const association = await DicomRequestor.connect({ host: '127.0.0.1', port, callingAet: 'SCU', calledAet: 'SCP', contexts, ...over });
  closing.push(() => association.abort());
  return association;
}

/** Our requestor on a real socket to our acceptor. */
async function associated(find: FindService['find'], over: Partial<RequestorOptions> = {}): Promise<RequestorAssociation> {
  const acceptor = new DicomAcceptor({
    authorize: () => ({
      accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptQueryExtensions: (_, proposed) => ({ ...proposed, fuzzySemanticMatching: false }),
    }),
    services: { find: { sopClassUids: QUERY_SOP_CLASSES, find } },
  });
  const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 });
  closing.push(() => acceptor.close({ graceMs: 0 }));
  return connectTo(port, over);
}

/** Our requestor to a peer that answers by hand; the script begins when the request and its identifier have come. */
async function scripted(play: (peer: ScriptedPeer) => unknown, over: Partial<RequestorOptions> = {}): Promise<RequestorAssociation> {
  const server = await ScriptedServer.listen(async (peer) => {
    await peer.expect(1);
    const contexts = [{ id: 1, result: 0, transferSyntax: EXPLICIT_LITTLE }];
    peer.send(encodeAssociateAc({ callingAet: 'SCU', calledAet: 'SCP', contexts, user: emptyUserInformation() }));
    await peer.expect(4);
    await peer.expect(4);
    await play(peer);
  });
  closing.push(() => server.close());
  return connectTo(server.port, over);
}
const rawResponse = (status: number, hasDataset: boolean): Buffer => rawData(rawPdv(1, 3, rawCommand(
  rawElement(0x0002, FIND_CONTEXT.abstractSyntax), rawElement(0x0100, 0x8020), rawElement(0x0120, 1), rawElement(0x0800, hasDataset ? 1 : 0x0101),
  rawElement(0x0900, status),
)));
const rawPending = (text: string): Buffer => Buffer.concat([rawResponse(0xff00, true), rawData(rawPdv(1, 2, Buffer.from(text)))]);

async function* numbered(count: number, bytes = 4): AsyncGenerator<FindAnswer> {
  for (let n = 0; n < count; n++) {
    const identifier = Buffer.alloc(bytes);
    identifier.writeUInt32LE(n);
    yield { identifier };
  }
}

describe('C-FIND as SCU', () => {
  it('given matches, then they come with their status, the outcome is there at the end, and the association goes on', async () => {
    const requests: (FindRequest & { identifier: string })[] = [];
    const association = await associated(async function* (request, identifier) {
      requests.push({ ...request, identifier: identifier.toString() });
      yield { identifier: Buffer.from('one!') };
      yield { identifier: Buffer.from('two!'), status: 0xff01 };
      throw new DimseFailure(0xa700, 'enough');
    });
    for (let round = 0; round < 2; round++) {
      const search = association.find(OPERATION);
      const answers: FindAnswer[] = [];
      for await (const answer of search) answers.push(answer);
      expect(answers).toEqual([{ identifier: Buffer.from('one!'), status: 0xff00 }, { identifier: Buffer.from('two!'), status: 0xff01 }]);
      expect(search.outcome).toEqual({ status: 0xa700, errorComment: 'enough' });
    }
    expect(requests).toMatchObject([{ identifier: 'identifier', messageId: 1 }, { identifier: 'identifier', messageId: 2 }]);
    await association.release();
  });

  it('given extensions that were proposed, then both sides know what was granted', async () => {
    const requests: FindRequest[] = [];
    const extendedNegotiations = [proposeQueryExtensions(FIND, { relationalQueries: true, fuzzySemanticMatching: true })];
    const association = await associated((request) => {
      requests.push(request);
      return numbered(0);
    }, { extendedNegotiations });
    const granted = { ...NO_QUERY_EXTENSIONS, relationalQueries: true };
    expect(association.queryExtensions(FIND)).toEqual(granted);
    expect(association.queryExtensions(QueryRetrieveSopClass.patientRootFind)).toEqual(NO_QUERY_EXTENSIONS);
    for await (const _ of association.find(OPERATION)) throw new Error('a match of nothing');
    expect(requests[0]?.extensions).toEqual(granted);
  });

  it('given nothing accepted that fits, then it says what is missing before anything is sent', async () => {
    const association = await associated(() => numbered(0));
    expect(() => association.find({ ...OPERATION, sopClassUid: QueryRetrieveSopClass.patientRootFind })).toThrow(NoPresentationContextError);
  });

  it('given 10,000 matches of 2,000 bytes and a reader that waits, then no more is made than is on its way', async () => {
    let made = 0;
    const association = await associated(async function* () {
      for await (const answer of numbered(10_000, 2_000)) {
        made++;
        yield answer;
      }
    });
    let read = 0;
    let most = 0;
    for await (const { identifier } of association.find(OPERATION)) {
      expect(identifier.readUInt32LE(0)).toBe(read++);
      if (read % 2_500 === 1) await new Promise((resolve) => setTimeout(resolve, 200));
      most = Math.max(most, made - read);
    }
    expect(read).toBe(10_000);
    expect(most * 2_000).toBeLessThan(14 * 1024 * 1024);
  });

  it('given a reader slower than the answer timeout, then the association is not ended for it', async () => {
    const timers = new ManualTimerSource();
    const association = await associated(() => numbered(2_000, 2_000), { timers });
    let read = 0;
    for await (const _ of association.find(OPERATION)) {
      if (++read > 1) continue;
      await new Promise((resolve) => setTimeout(resolve, 200));
      timers.advance(600_000);
    }
    expect(read).toBe(2_000);
    await association.release();
  });

  it('given a cancel, then the search ends with FE00', async () => {
    let aborted = 0;
    const association = await associated(async function* (request) {
      request.signal.addEventListener('abort', () => aborted++);
      yield* numbered(1);
      await new Promise(() => undefined);
    });
    const search = association.find(OPERATION);
    let read = 0;
    for await (const _ of search) {
      read++;
      search.cancel();
      search.cancel();
    }
    expect([read, aborted, search.outcome]).toEqual([1, 1, { status: 0xfe00 }]);
    await association.release();
  });

  it('given a cancel before the first iteration, then nothing is sent', async () => {
    let begun = 0;
    const association = await associated(() => {
      begun++;
      return numbered(1);
    });
    const search = association.find(OPERATION);
    search.cancel();
    for await (const _ of search) throw new Error('a match of a cancelled search');
    expect([begun, search.outcome]).toEqual([0, { status: 0xfe00 }]);
  });

  it('given a reader that leaves early, then the search is cancelled, the rest is thrown away, and the next one runs', async () => {
    const ends: string[] = [];
    const association = await associated(async function* (request) {
      try {
        yield* numbered(1_000_000, 2_000);
      } finally {
        ends.push(request.signal.aborted ? 'cancelled' : 'done');
      }
    });
    for (let round = 0; round < 2; round++) {
      for await (const { identifier } of association.find(OPERATION)) if (identifier.readUInt32LE(0) === 3) break;
    }
    await association.release();
    expect(ends).toEqual(['cancelled', 'cancelled']);
  });

  it('given two at once and a window of one, then the second waits for the first', async () => {
    const order: string[] = [];
    const association = await associated(async function* (request) {
      order.push(`begin ${request.messageId}`);
      yield* numbered(2);
      await settle();
      order.push(`end ${request.messageId}`);
    });
    await Promise.all([1, 2].map(async () => {
      let read = 0;
      for await (const _ of association.find(OPERATION)) read++;
      expect(read).toBe(2);
    }));
    expect(order).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it('given two at once and a window of two, then both run, and each gets its own matches', async () => {
    const gates: (() => void)[] = [];
    const association = await associated(async function* (request) {
      await new Promise<void>((resolve) => {
        gates.push(resolve);
        if (gates.length === 2) for (const open of gates) open();
      });
      for (let n = 0; n < 100; n++) yield { identifier: Buffer.from(`${request.messageId}`) };
    }, { operationsWindow: { maxInvoked: 2, maxPerformed: 1 } });
    const read = await Promise.all([1, 2].map(async () => {
      const texts: string[] = [];
      for await (const { identifier } of association.find(OPERATION)) texts.push(identifier.toString());
      return texts;
    }));
    expect(read).toEqual([Array.from({ length: 100 }, () => '1'), Array.from({ length: 100 }, () => '2')]);
  });
});

describe('C-FIND as SCU against odd peers', () => {
  it('given an abort in the middle, then the matches before it are read, and the error says so', async () => {
    const association = await scripted((peer) => peer.send(rawPending('one!'), rawPending('two!'), RAW_ABORT));
    const texts: string[] = [];
    const reading = (async () => {
      for await (const { identifier } of association.find(OPERATION)) texts.push(identifier.toString());
    })();
    await expect(reading).rejects.toThrow(AssociationAbortedError);
    expect(texts).toEqual(['one!', 'two!']);
  });

  it('given identifiers in fragments, a pending answer without one, and a final answer, then all are understood', async () => {
    const association = await scripted((peer) => peer.send(
      rawResponse(0xff00, true), rawData(rawPdv(1, 0, Buffer.from('on')), rawPdv(1, 0, Buffer.from('e!'))), rawData(rawPdv(1, 2, Buffer.alloc(0))),
      rawResponse(0xff01, false), rawResponse(0, false),
    ));
    const search = association.find(OPERATION);
    const answers: FindAnswer[] = [];
    for await (const answer of search) answers.push(answer);
    expect(answers).toEqual([{ identifier: Buffer.from('one!'), status: 0xff00 }, { identifier: Buffer.alloc(0), status: 0xff01 }]);
    expect(search.outcome).toEqual({ status: 0 });
  });

  it('given an identifier without an end, then the association is aborted', async () => {
    const association = await scripted((peer) => {
      peer.send(rawResponse(0xff00, true));
      for (let n = 0; n < 20; n++) peer.send(rawData(rawPdv(1, 0, Buffer.alloc(100_000))));
    });
    const reading = (async () => {
      for await (const _ of association.find(OPERATION)) throw new Error('half a match');
    })();
    await expect(reading).rejects.toThrow('an identifier that is too long');
  });

  it('given a peer that says nothing, then the timeout ends the search', async () => {
    const timers = new ManualTimerSource();
    const association = await scripted(async () => {
      await settle();
      timers.advance(60_000);
    }, { timers });
    const reading = (async () => {
      for await (const _ of association.find(OPERATION)) throw new Error('a match of nobody');
    })();
    await expect(reading).rejects.toThrow('did not answer in time');
  });

  it('given a second iteration, then it says that there is only one', async () => {
    const association = await scripted((peer) => peer.send(rawResponse(0, false)));
    const search = association.find(OPERATION);
    for await (const _ of search) throw new Error('a match of nothing');
    await expect(search[Symbol.asyncIterator]().next()).rejects.toThrow('only once');
  });
});
