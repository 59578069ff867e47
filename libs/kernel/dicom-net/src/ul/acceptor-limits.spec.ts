import { describe, expect, it } from '@jest/globals';
import {
  AcceptorHarness, settle,
  RAW_RELEASE_RQ, rawAssociateRq, rawData, rawEchoRq, rawItem, rawPdu, rawPdv, rawStore, rawStoreRq, type ScriptedPeer,
} from '@perennia/testing';

const rejection = (body: Buffer): string => `${body[1]}/${body[2]}/${body[3]}`;
const title = (n: number): Buffer => rawAssociateRq({ callingAet: `AE${n}` });

/** A request whose body has exactly this many bytes. */
const padded = (bodyBytes: number): Buffer => {
  const items: Buffer[] = [];
  let left = bodyBytes - (rawAssociateRq().length - 6);
  while (left > 0) {
    const take = Math.min(left, 60_000);
    items.push(rawItem(0x99, Buffer.alloc(take - 4)));
    left -= take;
  }
  return rawAssociateRq({ extraItems: items });
};

async function associated(harness: AcceptorHarness): Promise<ScriptedPeer> {
  const peer = harness.connect();
  await peer.associate(rawAssociateRq());
  return peer;
}

describe('acceptor limits, at the limit and one above', () => {
  it('300 associations, the 301st is rejected 2/3/2, and a release makes room', async () => {
    const harness = new AcceptorHarness();
    const peers: ScriptedPeer[] = [];
    for (let n = 0; n < 300; n++) {
      const peer = harness.connect();
      await peer.associate(title(n));
      peers.push(peer);
    }
    expect([...harness.acceptor.associations]).toHaveLength(300);
    expect(rejection(await harness.connect().send(title(301)).expect(3))).toBe('2/3/2');
    const first = peers[0] as ScriptedPeer;
    first.send(rawData(rawPdv(3, 3, rawEchoRq(1))));
    expect((await first.response()).status).toBe(0);
    await first.send(RAW_RELEASE_RQ).expect(6);
    await harness.connect().associate(title(302));
  });

  it('32 associations of one calling AE title, the 33rd is rejected 2/3/2, another title is not', async () => {
    const harness = new AcceptorHarness();
    for (let n = 0; n < 32; n++) await harness.connect().associate(rawAssociateRq());
    expect(rejection(await harness.connect().send(rawAssociateRq()).expect(3))).toBe('2/3/2');
    await harness.connect().associate(title(1));
  });

  it('connections that have not asked yet: one above the limit is closed unread', async () => {
    const harness = new AcceptorHarness({ limits: { maxPendingConnections: 3 } });
    const waiting = [harness.connect(), harness.connect(), harness.connect()];
    await harness.connect().closed();
    expect(harness.types()).toEqual(['refused-connection']);
    await waiting[0]?.associate(rawAssociateRq());
    await harness.connect().associate(title(2));
  });

  it('an A-ASSOCIATE-RQ of 256 KiB is taken, one byte more is aborted 2/6', async () => {
    const harness = new AcceptorHarness();
    await harness.connect().associate(padded(256 * 1024));
    const body = await harness.connect().send(padded(256 * 1024 + 1)).expect(7);
    expect([body[2], body[3]]).toEqual([2, 6]);
  });

  it('ARTIM: a request that is not complete after 10 s ends the connection, one that completes just before does not', async () => {
    const harness = new AcceptorHarness();
    const request = rawAssociateRq();
    const slow = harness.connect().send(request.subarray(0, 50));
    const dripping = harness.connect();
    for (let second = 0; second < 9; second++) {
      dripping.send(request.subarray(second, second + 1));
      await settle();
      harness.timers.advance(1000);
    }
    harness.timers.advance(999);
    const late = harness.connect();
    slow.send(request.subarray(50));
    await slow.expect(2);
    harness.timers.advance(1);
    await dripping.closed();
    expect(dripping.unread).toEqual([]);
    await late.associate(title(3));
    expect(harness.events.find((event) => event.type === 'aborted')).toMatchObject({ by: 'us', detail: 'no complete association request within 10000 ms' });
  });

  it('idle: 60 s without a byte between messages ends in an abort, not a second earlier', async () => {
    const harness = new AcceptorHarness();
    const peer = await associated(harness);
    harness.timers.advance(59_000);
    await settle();
    expect(peer.unread).toEqual([]);
    harness.timers.advance(2000);
    expect((await peer.expect(7))[2]).toBe(0);
    expect(harness.events.at(-1)).toMatchObject({ type: 'aborted', by: 'us', detail: 'idle for 60000 ms' });
  });

  it('10 s without a byte inside a PDU end in an abort, not a second earlier', async () => {
    const harness = new AcceptorHarness();
    const peer = await associated(harness);
    peer.send(rawStore(1, Buffer.alloc(100)).subarray(0, -1));
    await settle();
    harness.timers.advance(9000);
    await settle();
    expect(peer.unread).toEqual([]);
    harness.timers.advance(2000);
    await peer.expect(7);
    expect(harness.objects[0]?.fate).toBe('aborted');
  });

  it.each([
    [1023, true],
    [1200, false],
  ])('a dataset at %d bytes per second over 12 s: aborted %s', async (bytesPerSecond, aborted) => {
    const harness = new AcceptorHarness();
    const peer = await associated(harness);
    peer.send(rawData(rawPdv(1, 3, rawStoreRq(1))));
    await settle();
    harness.timers.advance(1000);
    for (let second = 0; second < 12; second++) {
      peer.send(rawData(rawPdv(1, 0, Buffer.alloc(bytesPerSecond - 12))));
      await settle();
      harness.timers.advance(1000);
    }
    await settle();
    expect(peer.unread.map((pdu) => pdu.type)).toEqual(aborted ? [7] : []);
  });

  it('a peer that waits for our answer is never idle', async () => {
    const harness = new AcceptorHarness();
    let finish!: () => void;
    harness.sinkScript = { end: () => new Promise((resolve) => (finish = () => resolve({ status: 0 }))) };
    const peer = await associated(harness);
    peer.send(rawStore(1, Buffer.alloc(100)));
    await settle();
    harness.timers.advance(600_000);
    await settle();
    finish();
    expect((await peer.response()).status).toBe(0);
  });

  it('a peer held back by the sink is neither idle nor slow', async () => {
    const harness = new AcceptorHarness();
    let ready!: () => void;
    harness.sinkScript = { write: () => new Promise((resolve) => (ready = resolve)) };
    const peer = await associated(harness);
    peer.send(rawStore(1, Buffer.alloc(100)));
    await settle();
    harness.timers.advance(600_000);
    await settle();
    ready();
    expect((await peer.response()).status).toBe(0);
  });

  it('an aborted peer that keeps its socket loses it after 500 ms', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect().send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await peer.expect(7);
    harness.timers.advance(500);
    await peer.closed();
    expect(harness.timers.pending).toBe(0);
  });
});

describe('acceptor: closing', () => {
  it('rejects the new with 2/3/1, lets one that is sending go on, aborts those that fall silent', async () => {
    const harness = new AcceptorHarness();
    let finish!: () => void;
    harness.sinkScript = { end: () => new Promise((resolve) => (finish = () => resolve({ status: 0 }))) };
    const idle = harness.connect();
    await idle.associate(title(1));
    const busy = harness.connect();
    await busy.associate(title(2));
    busy.send(rawStore(1, Buffer.alloc(10)));
    await settle();
    const closing = harness.acceptor.close({ graceMs: 5000 });
    harness.timers.advance(500);
    await idle.expect(7);
    expect(rejection(await harness.connect().send(title(3)).expect(3))).toBe('2/3/1');
    finish();
    expect((await busy.response()).status).toBe(0);
    harness.timers.advance(499);
    busy.send(rawStore(2, Buffer.alloc(10)));
    await settle();
    harness.timers.advance(400);
    finish();
    expect((await busy.response()).status).toBe(0);
    harness.timers.advance(500);
    await busy.expect(7);
    harness.timers.advance(500);
    await closing;
    await busy.closed();
  });

  it('aborts what is left when the grace ends', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawPdu(4, rawPdv(1, 3, rawStoreRq(1))));
    await settle();
    const closing = harness.acceptor.close({ graceMs: 5000 });
    harness.timers.advance(4999);
    expect([...harness.acceptor.associations]).toHaveLength(1);
    harness.timers.advance(1);
    expect((await peer.expect(7))[2]).toBe(0);
    harness.timers.advance(500);
    await closing;
    expect(harness.objects[0]?.fate).toBe('aborted');
  });
});
