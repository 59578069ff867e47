// Many answers over real sockets: what a peer does not read is not made, and a peer that never reads is given up.
import { afterEach, describe, expect, it } from '@jest/globals';
import { FIND_CONTEXT, ManualTimerSource, rawAssociateRq, rawCancel, rawFind, ScriptedPeer } from '@perennia/testing';
import { type AcceptorEvent, DicomAcceptor, type FindAnswer, type FindRequest, QUERY_SOP_CLASSES } from '../index.js';

const ANSWERS = 10_000;
const ANSWER_BYTES = 2_000;
/** Gathered in the operation, buffered in Node's socket, and in the kernel's sockets of both ends, which grow to a few MiB. */
const IN_FLIGHT_BYTES = 12 * 1024 * 1024;

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

class CountedSearch {
  readonly events: AcceptorEvent[] = [];
  made = 0;
  ended = false;

  constructor(private readonly answers: number, private readonly answerBytes = ANSWER_BYTES) {}

  async *find(_request: FindRequest): AsyncGenerator<FindAnswer> {
    try {
      while (this.made < this.answers) {
        this.made++;
        const identifier = Buffer.alloc(this.answerBytes);
        identifier.writeUInt32LE(this.made);
        yield { identifier };
      }
    } finally {
      this.ended = true;
    }
  }

  /** A peer that has asked, and does not read unless told to. */
  async begin(timers?: ManualTimerSource): Promise<ScriptedPeer> {
    const acceptor = new DicomAcceptor({
      authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }),
      services: { find: { sopClassUids: QUERY_SOP_CLASSES, find: (request) => this.find(request) } },
      onEvent: (event) => this.events.push(event),
      ...(timers ? { timers } : {}),
    });
    const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 });
    const peer = await ScriptedPeer.connect(port);
    closing.push(() => void peer.transport.destroy(), () => acceptor.close({ graceMs: 0 }));
    await peer.associate(rawAssociateRq({ contexts: [FIND_CONTEXT] }));
    peer.transport.pause();
    peer.send(rawFind(1, Buffer.from('ab')));
    return peer;
  }

  /** Waits until no more answers are made: nothing but time tells that nothing happens. */
  async stalled(): Promise<void> {
    for (let before = -1, calm = 0; calm < 5; before = this.made) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      calm = this.made > 0 && this.made === before ? calm + 1 : 0;
    }
  }
}

describe('C-FIND over sockets', () => {
  it.each([0, 1, ANSWERS])('given %d matches, then all arrive, in order', async (answers) => {
    const peer = await new CountedSearch(answers).begin();
    peer.transport.resume();
    for (let n = 1; n <= answers; n++) {
      const { status, identifier } = await peer.findResponse();
      if (status !== 0xff00 || identifier?.readUInt32LE(0) !== n || identifier.length !== ANSWER_BYTES) throw new Error(`answer ${n} is another`);
    }
    expect(await peer.findResponse()).toMatchObject({ status: 0, identifier: null });
  });

  it('given matches that are all in memory, then each turn of the event loop makes no more than one write of them', async () => {
    const search = new CountedSearch(ANSWERS);
    const peer = await search.begin();
    peer.transport.resume();
    let most = 0;
    for (let before = 0; !search.ended; before = search.made) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, search.made - before);
    }
    expect(most * ANSWER_BYTES).toBeLessThan(2 * 32 * 1024);
  });

  it('given a peer that reads slowly, then no more is made than is on its way', async () => {
    const search = new CountedSearch(ANSWERS);
    const peer = await search.begin();
    await search.stalled();
    expect(search.made * ANSWER_BYTES).toBeLessThan(IN_FLIGHT_BYTES);
    peer.transport.resume();
    let most = 0;
    for (let read = 0; read < ANSWERS; read++) {
      await peer.findResponse();
      most = Math.max(most, search.made - read - peer.unread.length / 2);
      if (read % 1000 === 0) {
        peer.transport.pause();
        await search.stalled();
        peer.transport.resume();
      }
    }
    expect(most * ANSWER_BYTES).toBeLessThan(IN_FLIGHT_BYTES);
    expect((await peer.findResponse()).status).toBe(0);
  });

  it('given a peer that does not read and cancels, then the search ends at once, and FE00 is behind what was on its way', async () => {
    const search = new CountedSearch(1_000_000);
    const peer = await search.begin();
    await search.stalled();
    peer.send(rawCancel(1));
    while (!search.ended) await new Promise((resolve) => setImmediate(resolve));
    peer.transport.resume();
    let response = await peer.findResponse();
    while (response.status === 0xff00) response = await peer.findResponse();
    expect(response).toMatchObject({ status: 0xfe00, messageId: 1 });
  });

  it('given a peer that vanishes while answers wait for it, then the search ends', async () => {
    const search = new CountedSearch(1_000_000);
    const peer = await search.begin();
    await search.stalled();
    peer.vanish();
    while (!search.ended) await new Promise((resolve) => setImmediate(resolve));
    expect(search.events.at(-1)).toMatchObject({ type: 'aborted', by: 'transport' });
  });

  it('given a peer that takes no answer for 60 s, then it is aborted and the search ends, not a second earlier', async () => {
    const timers = new ManualTimerSource();
    const search = new CountedSearch(1_000_000);
    await search.begin(timers);
    await search.stalled();
    timers.advance(59_000);
    expect(search.events.at(-1)).toMatchObject({ type: 'accepted' });
    timers.advance(1_000);
    expect(search.events.at(-1)).toMatchObject({ type: 'aborted', by: 'us', detail: 'no answer was taken for 60000 ms' });
    while (!search.ended) await new Promise((resolve) => setImmediate(resolve));
    timers.advance(500);
  });

  it('given identifiers larger than all buffers, then they arrive whole and one at a time', async () => {
    const search = new CountedSearch(4, 3_000_000);
    const peer = await search.begin();
    await search.stalled();
    expect(search.made).toBeLessThan(4);
    peer.transport.resume();
    for (let n = 1; n <= 4; n++) {
      const { identifier } = await peer.findResponse();
      expect([identifier?.length, identifier?.readUInt32LE(0)]).toEqual([3_000_000, n]);
    }
    expect((await peer.findResponse()).status).toBe(0);
  });
});
