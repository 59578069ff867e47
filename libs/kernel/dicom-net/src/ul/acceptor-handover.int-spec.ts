// Letting go of a connection, within one process: what is handed over, and what cannot be.
import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:net';
import {
  AcceptorHarness, RAW_RELEASE_RQ, rawAssociateRq, rawData, rawEchoRq, rawItem, rawPdv, rawStore, ScriptedPeer, settle,
} from '@perennia/testing';
import { type AssociationDecision, type BegunConnection, DicomAcceptor, type DicomAcceptorOptions } from '../index.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A peer on a real socket, of whose connection the acceptor lets go when `decide` says so. */
async function connected(over: Partial<DicomAcceptorOptions>): Promise<{ harness: AcceptorHarness; peer: ScriptedPeer }> {
  const harness = new AcceptorHarness(over);
  const { port } = await harness.acceptor.listen({ host: '127.0.0.1', port: 0 });
  const peer = await ScriptedPeer.connect(port);
  closing.push(() => harness.acceptor.close({ graceMs: 0 }), () => peer.transport.destroy());
  return { harness, peer };
}
const elsewhere = (handOver: (connection: BegunConnection) => void): AssociationDecision => ({ accept: 'elsewhere', handOver });

describe('hand-over', () => {
  it('given a decision for elsewhere, then the request is handed over byte by byte, even what we do not know, and the acceptor forgets the connection', async () => {
    const given: BegunConnection[] = [];
    const { harness, peer } = await connected({ authorize: () => elsewhere((connection) => given.push(connection)), limits: { maxAssociations: 1 } });
    const request = rawAssociateRq({ userItems: [rawItem(0x77, Buffer.from('unknown'))], extraItems: [rawItem(0x99, Buffer.from('unknown too'))] });
    peer.send(request);
    while (given.length === 0) await settle();
    expect(given[0]?.head).toEqual(request);
    expect([...harness.acceptor.associations]).toEqual([]);
    expect(harness.events).toMatchObject([{ type: 'handed-over', associationId: 1, callingAet: 'PEER', calledAet: 'PERENNIA', proposedContexts: 2 }]);
    expect(harness.timers.pending).toBe(0);
    await harness.acceptor.close({ graceMs: 60_000 });
    expect(given[0]?.socket.destroyed).toBe(false);
    given[0]?.socket.destroy();
    await peer.closed();
  });

  it.each(['taken over by the listener', 'with data events'])('given a connection %s, then another acceptor goes on with it', async (way) => {
    const other = new AcceptorHarness();
    const takeOver = ({ socket, head }: BegunConnection): void => other.acceptor.handleSocket(socket, { address: '192.0.2.7', port: 7 }, head);
    const options = { authorize: async () => elsewhere(takeOver) };
    const { peer } = way === 'with data events' ? await plain(options) : await connected(options);
    await peer.associate(rawAssociateRq());
    peer.send(rawStore(1, Buffer.alloc(100_000)), rawData(rawPdv(3, 3, rawEchoRq(2))), RAW_RELEASE_RQ);
    expect(await peer.response()).toMatchObject({ messageId: 1, status: 0 });
    expect(await peer.response()).toMatchObject({ messageId: 2, status: 0 });
    await peer.expect(6);
    expect(other.events).toMatchObject([{ type: 'accepted', peer: { address: '192.0.2.7' } }, { type: 'released' }]);
    expect(other.objects[0]?.bytes.equals(Buffer.alloc(100_000))).toBe(true);
    closing.push(() => other.timers.advance(10_000));
  });

  it.each([
    ['one byte', Buffer.from([4])],
    ['a whole message', rawStore(1, Buffer.from('ab'))],
  ])('given a peer that sends %s before it is answered, then it is aborted and not handed over', async (_name, early) => {
    let handedOver = 0;
    const { harness, peer } = await connected({
      authorize: async () => {
        for (let turn = 0; turn < 20; turn++) await settle();
        return elsewhere(() => handedOver++);
      },
    });
    peer.send(rawAssociateRq(), early);
    const body = await peer.expect(7);
    expect([body[2], body[3]]).toEqual([2, 2]);
    expect([handedOver, harness.types()]).toEqual([0, ['aborted']]);
    expect([...harness.acceptor.associations]).toEqual([]);
    closing.push(() => harness.timers.advance(10_000));
  });

  it('given a peer that vanishes before the decision, then nothing is handed over', async () => {
    let handedOver = 0;
    let decide: (decision: AssociationDecision) => void = () => undefined;
    const { harness, peer } = await connected({ authorize: () => new Promise((resolve) => (decide = resolve)) });
    peer.send(rawAssociateRq());
    while ([...harness.acceptor.associations].length === 0) await settle();
    peer.vanish();
    while (harness.events.length === 0) await settle();
    decide(elsewhere(() => handedOver++));
    await settle();
    expect([handedOver, harness.types()]).toEqual([0, ['aborted']]);
  });

  it('given a hand-over that throws, then the connection is closed, and the failure is told', async () => {
    const { harness, peer } = await connected({ authorize: () => elsewhere(() => { throw new Error('nobody there'); }) });
    await peer.send(rawAssociateRq()).closed();
    expect(harness.types()).toEqual(['handed-over', 'failure']);
  });

  it('given a transport that is no TCP connection, then the peer is told to try again, and the failure is told', async () => {
    const harness = new AcceptorHarness({ authorize: () => elsewhere(() => undefined) });
    const body = await harness.connect().send(rawAssociateRq()).expect(3);
    expect([body[1], body[2], body[3]]).toEqual([2, 3, 1]);
    expect(harness.types()).toEqual(['failure', 'rejected']);
  });
});

/** As where Node does not show the handle of a socket: the listener is the application's. */
async function plain(over: Pick<DicomAcceptorOptions, 'authorize'>): Promise<{ peer: ScriptedPeer }> {
  const acceptor = new DicomAcceptor({ services: {}, ...over });
  const server: Server = createServer((socket) => acceptor.handleSocket(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const peer = await ScriptedPeer.connect((server.address() as { port: number }).port);
  closing.push(() => server.close(), () => peer.transport.destroy());
  return { peer };
}
