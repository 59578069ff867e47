// C-GET over real sockets: an object is read as fast as the peer takes it, and a peer that takes nothing is given up.
import { afterEach, describe, expect, it } from '@jest/globals';
import { CT_IMAGE_STORAGE, EXPLICIT_LITTLE, ManualTimerSource, RAW_RELEASE_RQ, rawAssociateRq, rawCancel, ScriptedPeer, STORE_CONTEXT } from '@perennia/testing';
import { type AcceptorEvent, DicomAcceptor, GET_SOP_CLASSES, type GetRequest, type RetrieveOutcome, type SubOperations } from '../index.js';
import { AS_SCP, done, GET, GET_CONTEXT, message, rawRetrieve, rawStoreRsp } from '../../test-parts/retrieve-peer.js';

const CHUNK_BYTES = 64 * 1024;
/** Buffered in Node's socket, and in the kernel's sockets of both ends, which grow to a few MiB. */
const IN_FLIGHT_BYTES = 12 * 1024 * 1024;
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

class CountedRetrieval {
  readonly events: AcceptorEvent[] = [];
  readonly timers = new ManualTimerSource();
  readBytes = 0;
  failure: unknown = null;
  ended = false;

  constructor(private readonly objectBytes: number) {}

  async *#dataset(): AsyncGenerator<Buffer> {
    while (this.readBytes < this.objectBytes) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, this.objectBytes - this.readBytes), 7);
      this.readBytes += chunk.length;
      yield chunk;
    }
  }

  async *#retrieve(request: GetRequest): AsyncGenerator<SubOperations, RetrieveOutcome> {
    try {
      yield { remaining: 1, completed: 0, failed: 0, warning: 0 };
      await request.store({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: '1.2.3', transferSyntaxUid: EXPLICIT_LITTLE, dataset: this.#dataset() });
      return done(1);
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.ended = true;
    }
  }

  /** A peer that has asked, and does not read unless told to. */
  async begin(): Promise<ScriptedPeer> {
    const acceptor = new DicomAcceptor({
      authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }) }),
      services: { get: { sopClassUids: GET_SOP_CLASSES, retrieve: (request) => this.#retrieve(request) } },
      onEvent: (event) => this.events.push(event),
      timers: this.timers,
    });
    const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 });
    const peer = await ScriptedPeer.connect(port);
    closing.push(() => void peer.transport.destroy(), () => this.timers.advance(10_000), () => acceptor.close({ graceMs: 0 }));
    await peer.associate(rawAssociateRq({ contexts: [STORE_CONTEXT, GET_CONTEXT], userItems: [AS_SCP] }));
    peer.transport.pause();
    peer.send(rawRetrieve(GET, 1));
    return peer;
  }

  /** Waits until no more is read: nothing but time tells that nothing happens. */
  async stalled(): Promise<void> {
    for (let before = -1, calm = 0; calm < 5; before = this.readBytes) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      calm = this.readBytes > 0 && this.readBytes === before ? calm + 1 : 0;
    }
  }
}

describe('C-GET over sockets', () => {
  it('given a peer that reads late, then no more of the object is read than is on its way, and all of it arrives', async () => {
    const retrieval = new CountedRetrieval(40 * 1024 * 1024);
    const peer = await retrieval.begin();
    await retrieval.stalled();
    expect(retrieval.readBytes).toBeLessThan(IN_FLIGHT_BYTES);
    peer.transport.resume();
    await message(peer);
    const store = await message(peer);
    expect(store.dataset).toHaveLength(40 * 1024 * 1024);
    peer.send(rawStoreRsp(store.messageId));
    expect(await message(peer)).toMatchObject({ status: 0, completedSubOperations: 1 });
  });

  it('given a peer that takes nothing for 60 s in the middle of an object, then it is aborted, not a second earlier, and the service is told', async () => {
    const retrieval = new CountedRetrieval(400 * 1024 * 1024);
    await retrieval.begin();
    await retrieval.stalled();
    retrieval.timers.advance(59_000);
    expect(retrieval.events.at(-1)).toMatchObject({ type: 'accepted' });
    retrieval.timers.advance(1_000);
    expect(retrieval.events.at(-1)).toMatchObject({ type: 'aborted', by: 'us', detail: 'no answer was taken for 60000 ms' });
    while (!retrieval.ended) await new Promise((resolve) => setImmediate(resolve));
    expect(retrieval.failure).toMatchObject({ code: 'ASSOCIATION_ABORTED' });
  });

  it('given a peer that vanishes in the middle of an object, then the object is not read further', async () => {
    const retrieval = new CountedRetrieval(400 * 1024 * 1024);
    const peer = await retrieval.begin();
    await retrieval.stalled();
    peer.vanish();
    while (!retrieval.ended) await new Promise((resolve) => setImmediate(resolve));
    expect(retrieval.failure).toMatchObject({ code: 'ASSOCIATION_TRANSPORT' });
    expect(retrieval.readBytes).toBeLessThan(IN_FLIGHT_BYTES);
  });

  it('given a peer that releases in the middle of an object, then it gets its answer, and the object is not read further', async () => {
    const retrieval = new CountedRetrieval(400 * 1024 * 1024);
    const peer = await retrieval.begin();
    await retrieval.stalled();
    peer.send(RAW_RELEASE_RQ);
    while (!retrieval.ended) await new Promise((resolve) => setImmediate(resolve));
    peer.transport.resume();
    let last = await peer.receive();
    while (last.type === 4) last = await peer.receive();
    expect(last.type).toBe(6);
    expect(retrieval.failure).toMatchObject({ code: 'ASSOCIATION_TRANSPORT' });
    expect(retrieval.events.map((event) => event.type)).toEqual(['accepted', 'released']);
    expect(retrieval.readBytes).toBeLessThan(IN_FLIGHT_BYTES);
  });

  it('given a C-CANCEL in the middle of an object, then the object is finished, and FE00 is behind it', async () => {
    const retrieval = new CountedRetrieval(20 * 1024 * 1024);
    const peer = await retrieval.begin();
    await retrieval.stalled();
    peer.send(rawCancel(1, GET));
    await retrieval.stalled();
    retrieval.timers.advance(500);
    peer.transport.resume();
    await message(peer);
    const store = await message(peer);
    expect(store.dataset).toHaveLength(20 * 1024 * 1024);
    expect(await message(peer)).toMatchObject({ status: 0xfe00, remainingSubOperations: 1 });
    peer.send(rawStoreRsp(store.messageId));
    while (!retrieval.ended) await new Promise((resolve) => setImmediate(resolve));
    expect(retrieval.events.map((event) => event.type)).toEqual(['accepted']);
  });
});
