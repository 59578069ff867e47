import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CT_IMAGE_STORAGE, EXPLICIT_LITTLE, ManualTimerSource, RAW_ABORT, rawCommand, rawData, rawElement, rawPdv, rawStore, RememberedObject, ScriptedPeer, ScriptedServer,
  settle,
} from '@perennia/testing';
import {
  AssociationAbortedError, DicomAcceptor, DicomRequestor, DimseFailure, GET_SOP_CLASSES, type GetRequest, MOVE_SOP_CLASSES, type MoveRequest,
  NoPresentationContextError, QueryRetrieveSopClass, type RequestorAssociation, type RequestorOptions, type Retrieval, type RetrieveOutcome, type StoreSink,
  type SubOperations,
} from '../index.js';
import { encodeAssociateAc } from '../ul/associate-pdu.js';
import { emptyUserInformation } from '../ul/user-information.js';
import { encodeFailedSopInstances } from './failed-sop-instances.js';
import { atOnce, counts, done } from '../../test-parts/retrieve-peer.js';

const MOVE = QueryRetrieveSopClass.studyRootMove;
const GET = QueryRetrieveSopClass.studyRootGet;
const MOVING = { sopClassUid: MOVE, transferSyntaxUid: EXPLICIT_LITTLE, identifier: Buffer.from('identifier'), moveDestination: 'WORKSTATION' };
const GETTING = { sopClassUid: GET, transferSyntaxUid: EXPLICIT_LITTLE, identifier: Buffer.from('identifier') };
const AS_SCP = [{ sopClassUid: CT_IMAGE_STORAGE, scu: false, scp: true }];
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Keeps what comes in. */
class Storage {
  readonly objects: RememberedObject[] = [];
  script: Partial<Pick<StoreSink, 'write' | 'end'>> = {};
  readonly service = {
    begin: (request: ConstructorParameters<typeof RememberedObject>[0]): StoreSink => {
      const object = new RememberedObject(request, this.script);
      this.objects.push(object);
      return object;
    },
  };
  get uids(): string[] {
    return this.objects.map((one) => one.request.sopInstanceUid);
  }
}

async function connectTo(port: number, over: Partial<RequestorOptions> = {}): Promise<RequestorAssociation> {
  const contexts = [MOVE, GET, CT_IMAGE_STORAGE].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT_LITTLE] }));
  const association = await DicomRequestor.connect({ host: '127.0.0.1', port, callingAet: 'SCU', calledAet: 'SCP', contexts, roles: AS_SCP, ...over });
  closing.push(() => association.abort());
  return association;
}

/** Our requestor on a real socket to our acceptor. */
async function associated(
  retrieve: (request: MoveRequest & GetRequest, identifier: Buffer) => AsyncIterable<SubOperations, RetrieveOutcome>, over: Partial<RequestorOptions> = {},
): Promise<RequestorAssociation> {
  const acceptor = new DicomAcceptor({
    authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }) }),
    services: {
      move: { sopClassUids: MOVE_SOP_CLASSES, retrieve: (request, identifier) => retrieve(request as MoveRequest & GetRequest, identifier) },
      get: { sopClassUids: GET_SOP_CLASSES, retrieve: (request, identifier) => retrieve(request as MoveRequest & GetRequest, identifier) },
    },
  });
  const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 });
  closing.push(() => acceptor.close({ graceMs: 0 }));
  return connectTo(port, over);
}

/** Our requestor to a peer that answers by hand; the script begins when the request and its identifier have come. */
async function scripted(play: (peer: ScriptedPeer) => unknown, over: Partial<RequestorOptions> = {}): Promise<RequestorAssociation> {
  const server = await ScriptedServer.listen(async (peer) => {
    await peer.expect(1);
    const contexts = [1, 3, 5].map((id) => ({ id, result: 0, transferSyntax: EXPLICIT_LITTLE }));
    const user = { ...emptyUserInformation(), roles: [...(over.roles ?? AS_SCP)] };
    peer.send(encodeAssociateAc({ callingAet: 'SCU', calledAet: 'SCP', contexts, user }));
    await peer.expect(4);
    await peer.expect(4);
    await play(peer);
  });
  closing.push(() => server.close());
  return connectTo(server.port, over);
}
const CONTEXT = { [MOVE]: 1, [GET]: 3 };
const rawAnswer = (sopClassUid: typeof MOVE | typeof GET, status: number, numbers: readonly number[] = [], hasDataset = false): Buffer => rawData(
  rawPdv(CONTEXT[sopClassUid], 3, rawCommand(
    rawElement(0x0002, sopClassUid), rawElement(0x0100, sopClassUid === MOVE ? 0x8021 : 0x8010), rawElement(0x0120, 1),
    rawElement(0x0800, hasDataset ? 1 : 0x0101), rawElement(0x0900, status), ...numbers.map((number, n) => rawElement(0x1020 + n, number)),
  )));
const rawStoreOn5 = (...parts: Parameters<typeof rawStore>): Buffer => {
  const bytes = Buffer.from(rawStore(...parts));
  for (let at = 0; at < bytes.length; at += 6 + bytes.readUInt32BE(at + 2)) bytes[at + 10] = 5;
  return bytes;
};

async function all(retrieval: Retrieval): Promise<Partial<SubOperations>[]> {
  const told: Partial<SubOperations>[] = [];
  for await (const progress of retrieval) told.push(progress);
  return told;
}

describe('C-MOVE as SCU', () => {
  it('D07: given progress, then it comes, and the outcome with numbers and failed instances, and the association goes on', async () => {
    const requests: (MoveRequest & { identifier: string })[] = [];
    const association = await associated(async function* (request, identifier) {
      requests.push({ ...request, identifier: identifier.toString() });
      yield counts(3, 0);
      return { ...done(1, 2), failedSopInstanceUids: ['1.2.3', '1.2.4'], errorComment: 'two are away' };
    });
    for (let round = 0; round < 2; round++) {
      const retrieval = association.move(MOVING);
      expect(await all(retrieval)).toEqual([{ remaining: 3, completed: 0, failed: 0, warning: 0 }]);
      expect(retrieval.outcome).toEqual({
        status: 0xb000, completed: 1, failed: 2, warning: 0, failedSopInstanceUids: ['1.2.3', '1.2.4'], errorComment: 'two are away',
      });
    }
    const request = { identifier: 'identifier', moveDestination: 'WORKSTATION', sopClassUid: MOVE, transferSyntaxUid: EXPLICIT_LITTLE, priority: 'medium' };
    expect(requests).toMatchObject([{ ...request, messageId: 1 }, { ...request, messageId: 2 }]);
    await association.release();
  });

  it('D08: given a failure, then it is an outcome', async () => {
    const association = await associated(() => { throw new DimseFailure(0xa801, 'Unknown move destination'); });
    expect(await association.move(MOVING).finished()).toEqual({ status: 0xa801, errorComment: 'Unknown move destination', failedSopInstanceUids: [] });
  });

  it('given nothing accepted that fits, then it says what is missing before anything is sent', async () => {
    const association = await associated(() => atOnce(done(0)));
    expect(() => association.move({ ...MOVING, sopClassUid: QueryRetrieveSopClass.patientRootMove })).toThrow(NoPresentationContextError);
  });

  it('given a cancel, then the outcome is FE00 with what remains', async () => {
    const association = await associated(async function* ({ signal }) {
      yield counts(5, 0);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { ...done(2), remaining: 3 };
    });
    const retrieval = association.move(MOVING);
    for await (const _ of retrieval) retrieval.cancel();
    expect(retrieval.outcome).toEqual({ status: 0xfe00, remaining: 3, completed: 2, failed: 0, warning: 0, failedSopInstanceUids: [] });
    await association.release();
  });

  it('given a cancel before the first iteration, then nothing is sent; and given a second iteration, then it says that there is only one', async () => {
    const association = await associated(() => { throw new Error('begun'); });
    const retrieval = association.move(MOVING);
    retrieval.cancel();
    expect(await retrieval.finished()).toEqual({ status: 0xfe00, failedSopInstanceUids: [] });
    await expect(retrieval.finished()).rejects.toThrow('only once');
  });

  it('given a reader that leaves early, then the retrieval is cancelled, and the next one runs', async () => {
    const ends: boolean[] = [];
    const association = await associated(async function* ({ signal }) {
      yield counts(1, 0);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ends.push(signal.aborted);
      return done(0);
    });
    for (let round = 0; round < 2; round++) for await (const _ of association.move(MOVING)) break;
    await association.release();
    expect(ends).toEqual([true, true]);
  });

  it('given a peer without numbers, and a list in fragments, then what is told is told', async () => {
    const list = encodeFailedSopInstances(['1.2.3', '1.2.4'], EXPLICIT_LITTLE);
    const association = await scripted((peer) => peer.send(
      rawAnswer(MOVE, 0xff00), rawAnswer(MOVE, 0xa702, [], true), rawData(rawPdv(1, 0, list.subarray(0, 10))), rawData(rawPdv(1, 2, list.subarray(10))),
    ));
    const retrieval = association.move(MOVING);
    expect(await all(retrieval)).toEqual([{}]);
    expect(retrieval.outcome).toEqual({ status: 0xa702, failedSopInstanceUids: ['1.2.3', '1.2.4'] });
  });

  it.each([
    ['an abort in the middle', (peer: ScriptedPeer) => peer.send(rawAnswer(MOVE, 0xff00, [1, 0, 0, 0]), RAW_ABORT), 'the peer aborted'],
    ['a list without an end', (peer: ScriptedPeer) => {
      peer.send(rawAnswer(MOVE, 0xb000, [], true));
      for (let n = 0; n < 20; n++) peer.send(rawData(rawPdv(1, 0, Buffer.alloc(100_000))));
    }, 'an answer that is too long'],
    ['an answer to something else', (peer: ScriptedPeer) => peer.send(rawData(rawPdv(1, 3, rawCommand(
      rawElement(0x0100, 0x8021), rawElement(0x0120, 9), rawElement(0x0800, 0x0101), rawElement(0x0900, 0),
    )))), 'a response to nothing we asked'],
  ])('given %s, then the error says so', async (_name, play, says) => {
    const association = await scripted(play);
    const moving = association.move(MOVING).finished();
    await expect(moving).rejects.toThrow(AssociationAbortedError);
    await expect(moving).rejects.toThrow(says);
  });

  it('given a peer that says nothing, then the timeout ends it', async () => {
    const timers = new ManualTimerSource();
    const association = await scripted(async () => {
      await settle();
      timers.advance(60_000);
    }, { timers });
    await expect(association.move(MOVING).finished()).rejects.toThrow('did not answer in time');
  });
});

describe('C-GET as SCU', () => {
  const sending = (...uids: readonly string[]) => async function* (request: GetRequest): AsyncGenerator<SubOperations, RetrieveOutcome> {
    yield counts(uids.length, 0);
    let completed = 0;
    for (const sopInstanceUid of uids) {
      const { status } = await request.store({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, dataset: Buffer.alloc(300_000, 7) });
      if (status === 0) completed++;
    }
    return done(completed, uids.length - completed);
  };

  it('D10: given the role of an SCP, then objects go to the store service, and the outcome comes behind them', async () => {
    const storage = new Storage();
    const association = await associated(sending('1.1', '1.2', '1.3'), { services: { store: storage.service } });
    for (let round = 0; round < 2; round++) {
      expect(await association.get(GETTING).finished()).toEqual({ status: 0, completed: 3, failed: 0, warning: 0, failedSopInstanceUids: [] });
    }
    expect(storage.uids).toEqual(['1.1', '1.2', '1.3', '1.1', '1.2', '1.3']);
    expect(storage.objects[0]?.request).toMatchObject({ sopClassUid: CT_IMAGE_STORAGE, transferSyntaxUid: EXPLICIT_LITTLE, callingAet: 'SCU', calledAet: 'SCP', messageId: 1 });
    expect(storage.objects.every((one) => one.fate === 'ended' && one.bytes.equals(Buffer.alloc(300_000, 7)))).toBe(true);
    await association.release();
  });

  it('given a store service that refuses one, then the peer counts it as failed', async () => {
    let n = 0;
    const storage = new Storage();
    storage.script = { end: () => ({ status: ++n === 2 ? 0xa700 : 0 }) };
    const association = await associated(sending('1.1', '1.2', '1.3'), { services: { store: storage.service } });
    expect(await association.get(GETTING).finished()).toMatchObject({ status: 0xb000, completed: 2, failed: 1 });
  });

  it('given a store service that takes ten minutes, then the association is not ended for it', async () => {
    const timers = new ManualTimerSource();
    const storage = new Storage();
    storage.script = { write: () => settle().then(() => timers.advance(600_000)), end: () => settle().then(() => (timers.advance(600_000), { status: 0 })) };
    const association = await associated(sending('1.1', '1.2'), { services: { store: storage.service }, timers });
    expect(await association.get(GETTING).finished()).toMatchObject({ status: 0, completed: 2 });
    await association.release();
  });

  it('given a store service that is broken, then the peer gets a failure, and the defect is told', async () => {
    const failures: unknown[] = [];
    const association = await associated(sending('1.1'), {
      services: { store: { begin: () => { throw new Error('defect'); } } }, onFailure: (error) => failures.push(error),
    });
    expect(await association.get(GETTING).finished()).toMatchObject({ status: 0xa702, failed: 1 });
    expect(failures).toMatchObject([{ message: 'defect' }]);
  });

  it.each([
    ['no role of an SCP', { roles: [], services: { store: new Storage().service } }],
    ['no store service', {}],
  ])('given a peer that stores although there is %s, then it is answered 0211, and the retrieval goes on', async (_name, over) => {
    const statuses: number[] = [];
    const association = await scripted(async (peer) => {
      peer.send(rawStoreOn5(4, Buffer.from('ab')));
      statuses.push((await peer.response()).status);
      peer.send(rawAnswer(GET, 0xa702, []));
    }, over);
    expect(await association.get(GETTING).finished()).toMatchObject({ status: 0xa702 });
    expect(statuses).toEqual([0x0211]);
  });

  it('given a peer that aborts in the middle of an object, then the sink is aborted, and the error says so', async () => {
    const storage = new Storage();
    const unfinished = rawStoreOn5(4, Buffer.from('ab'));
    unfinished[unfinished.length - 3] = 0;
    const association = await scripted((peer) => peer.send(unfinished, RAW_ABORT), { services: { store: storage.service } });
    await expect(association.get(GETTING).finished()).rejects.toThrow(AssociationAbortedError);
    expect(storage.objects.map((one) => one.fate)).toEqual(['aborted']);
  });

  it('given a cancel, then the object under way still comes, and the outcome is FE00', async () => {
    const storage = new Storage();
    const association = await associated(sending(...Array.from({ length: 1000 }, (_, n) => `1.${n}`)), { services: { store: storage.service } });
    const retrieval = association.get(GETTING);
    storage.script = { end: () => {
      if (storage.objects.length === 3) retrieval.cancel();
      return { status: 0 };
    } };
    await all(retrieval);
    expect(retrieval.outcome?.status).toBe(0xfe00);
    expect(storage.objects.length).toBeLessThan(20);
    await association.release();
  });
});
