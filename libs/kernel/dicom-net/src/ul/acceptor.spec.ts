import { describe, expect, it } from '@jest/globals';
import {
  AcceptorHarness, settle,
  ECHO_CONTEXT, EXPLICIT_LITTLE, IMPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RQ, rawAssociateRq, rawData, rawEchoRq, rawPdu, rawPdv, rawStore,
  rawStoreRq, STORE_CONTEXT,
} from '@perennia/testing';
import { DimseFailure } from '../dimse/dimse-failure.js';
import type { RequestOrigin } from '../dimse/request-origin.js';
import type { StoreOutcome } from '../dimse/store-service.js';
import { decodeAssociateAc } from './associate-pdu.js';

const abortReason = (body: Buffer): string => `${body[2]}/${body[3]}`;
const rejection = (body: Buffer): string => `${body[1]}/${body[2]}/${body[3]}`;

describe('acceptor: association', () => {
  it('given a request, when accepted, then the answer names contexts, our maximum and our implementation', async () => {
    const harness = new AcceptorHarness({
      authorize: () => ({ accept: true, acceptContext: (abstract) => (abstract === ECHO_CONTEXT.abstractSyntax ? IMPLICIT_LITTLE : 3) }),
    });
    const answer = decodeAssociateAc(await harness.connect().associate(rawAssociateRq()));
    expect(answer.contexts).toEqual([
      { id: 1, result: 3, transferSyntax: EXPLICIT_LITTLE }, { id: 3, result: 0, transferSyntax: IMPLICIT_LITTLE },
    ]);
    expect(answer.user).toMatchObject({ maxPduBytes: 131_072, implementationVersion: 'PERENNIA_0_1' });
    expect(answer).toMatchObject({ callingAet: 'PEER', calledAet: 'PERENNIA' });
    expect(harness.events).toMatchObject([{ type: 'accepted', acceptedContexts: 1, refusedContexts: 1, callingAet: 'PEER' }]);
  });

  it.each([
    ['1/2/2', 'another protocol version', rawAssociateRq({ protocolVersion: 2 })],
    ['1/1/2', 'another application context', rawAssociateRq({ applicationContext: '1.2.3' })],
    ['1/1/7', 'an unknown called AE title', rawAssociateRq({ calledAet: 'ELSEWHERE' })],
    ['1/1/3', 'a calling AE title the application refuses', rawAssociateRq({ callingAet: 'STRANGER' })],
    ['1/2/1', 'a maximum PDU that can carry nothing', rawAssociateRq({ maxPduBytes: 7 })],
    ['2/3/1', 'a failing authorisation', rawAssociateRq({ callingAet: 'BROKEN' })],
  ])('answers A-ASSOCIATE-RJ %s to %s', async (expected, _name, request) => {
    const harness = new AcceptorHarness({
      aeTitles: ['PERENNIA'],
      authorize: async ({ callingAet }) => {
        if (callingAet === 'BROKEN') throw new Error('database is down');
        if (callingAet === 'STRANGER') return { accept: false, result: 1, source: 1, reason: 3 };
        return { accept: true, acceptContext: (_, offered) => offered[0] ?? 4 };
      },
    });
    const peer = harness.connect().send(request);
    expect(rejection(await peer.expect(3))).toBe(expected);
    harness.timers.advance(10_000);
    await peer.closed();
    expect([...harness.acceptor.associations]).toEqual([]);
  });

  it('given a request byte by byte and a store byte by byte, then all works as in one piece', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.sendByteByByte(rawAssociateRq());
    await peer.expect(2);
    await peer.sendByteByByte(rawStore(9, Buffer.from('dataset!')));
    expect(await peer.response()).toMatchObject({ messageId: 9, status: 0, commandField: 0x8001, sopInstanceUid: '1.2.3.4.5' });
    expect(harness.objects[0]?.bytes.toString()).toBe('dataset!');
    await peer.sendByteByByte(RAW_RELEASE_RQ);
    await peer.expect(6);
  });

  it('given a release, then it is answered, reported once, and the socket is left to the peer until ARTIM ends', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    await peer.send(RAW_RELEASE_RQ).expect(6);
    await settle();
    expect(harness.types()).toEqual(['accepted', 'released']);
    harness.timers.advance(9_999);
    expect(peer.transport.destroyed).toBe(false);
    harness.timers.advance(1);
    await peer.closed();
    expect(harness.types()).toEqual(['accepted', 'released']);
    expect(harness.timers.pending).toBe(0);
  });

  it('given an abort in the middle of an object, then the sink is aborted and told so', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawData(rawPdv(1, 3, rawStoreRq(1))), rawData(rawPdv(1, 0, Buffer.alloc(10))), RAW_ABORT);
    await peer.closed();
    expect(harness.objects[0]).toMatchObject({ fate: 'aborted', abortReason: 'the peer aborted' });
    expect(harness.events.at(-1)).toMatchObject({ type: 'aborted', by: 'peer' });
    expect(harness.timers.pending).toBe(0);
  });

  it('given a vanished peer in the middle of an object, then the sink is aborted', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawData(rawPdv(1, 3, rawStoreRq(1))), rawData(rawPdv(1, 0, Buffer.alloc(10))));
    await settle();
    peer.vanish();
    await settle();
    expect(harness.objects[0]?.fate).toBe('aborted');
    expect(harness.events.at(-1)).toMatchObject({ type: 'aborted', by: 'transport' });
  });
});

describe('acceptor: operations', () => {
  it('hands the sink everything the request says', async () => {
    const harness = new AcceptorHarness({
      authorize: () => ({ accept: true, session: { tenant: 7 }, acceptContext: (_, offered) => offered[0] ?? 4 }),
    });
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawStore(5, Buffer.from('ab'), '1.9.8'));
    await peer.response();
    expect(harness.objects[0]?.request).toMatchObject({
      sopClassUid: STORE_CONTEXT.abstractSyntax, sopInstanceUid: '1.9.8', transferSyntaxUid: EXPLICIT_LITTLE, callingAet: 'PEER',
      calledAet: 'PERENNIA', messageId: 5, session: { tenant: 7 }, peer: { address: '192.0.2.1', port: 4242 }, moveOriginatorAet: undefined,
    });
  });

  it('tells the echo service who asks, and nothing else of the association', async () => {
    const requests: RequestOrigin[] = [];
    const harness = new AcceptorHarness({
      services: { echo: (request) => requests.push(request) - 1 },
      authorize: () => ({ accept: true, session: { tenant: 7 }, acceptContext: (_, offered) => offered[0] ?? 4 }),
    });
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(5))));
    expect((await peer.response()).status).toBe(0);
    expect(requests).toEqual([{
      callingAet: 'PEER', calledAet: 'PERENNIA', peer: { address: '192.0.2.1', port: 4242 }, associationId: 1, messageId: 5, session: { tenant: 7 },
    }]);
  });

  it('given several values in one PDU, a fragmented command and empty last fragments, then they are put together', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    const command = rawStoreRq(3);
    peer.send(rawData(
      rawPdv(1, 1, command.subarray(0, 11)), rawPdv(1, 1, command.subarray(11, 40)), rawPdv(1, 3, command.subarray(40)),
      rawPdv(1, 0, Buffer.from('odd')), rawPdv(1, 0, Buffer.alloc(0)), rawPdv(1, 0, Buffer.from('x')), rawPdv(1, 2, Buffer.alloc(0)),
    ));
    expect(await peer.response()).toMatchObject({ status: 0, messageId: 3 });
    expect(harness.objects[0]?.bytes.toString()).toBe('oddx');
  });

  it('given a peer with a tiny maximum, then the response comes in fragments of that size', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq({ maxPduBytes: 20 }));
    peer.send(rawStore(5, Buffer.from('ab')));
    await settle();
    expect(Math.max(...peer.unread.map((pdu) => pdu.body.length))).toBeLessThanOrEqual(20);
    expect(await peer.response()).toMatchObject({ status: 0, messageId: 5 });
  });

  it.each([
    ['an unknown operation', { 0x0100: 0x0777 }, 0x0211],
    ['a SOP class other than the context says', { 0x0002: '1.2.3' }, 0x0122],
    ['a C-FIND', { 0x0100: 0x0020 }, 0x0211],
  ])('given %s with a dataset, then the dataset is drained, the status says so, and the association lives on', async (_name, change, status) => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    const command = rawStoreRqWith(change);
    peer.send(rawData(rawPdv(1, 3, command)), rawData(rawPdv(1, 2, Buffer.alloc(100))));
    expect((await peer.response()).status).toBe(status);
    expect(harness.objects).toEqual([]);
    expect(harness.events.at(-1)).toMatchObject({ type: 'refused-operation', status });
    peer.send(rawStore(6, Buffer.from('ab')));
    expect((await peer.response()).status).toBe(0);
  });

  it('given no service at all, then C-ECHO and C-STORE are unrecognised operations', async () => {
    const harness = new AcceptorHarness({ services: {} });
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawData(rawPdv(3, 3, rawEchoRq(1))));
    expect(await peer.response()).toMatchObject({ status: 0x0211, commandField: 0x8030 });
    peer.send(rawStore(2, Buffer.from('ab')));
    expect(await peer.response()).toMatchObject({ status: 0x0211, commandField: 0x8001 });
  });

  it('given a sink that refuses, writes badly or fails at the end, then the right status comes and the sink is told', async () => {
    const harness = new AcceptorHarness();
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    harness.sinkScript = { end: async () => ({ status: 0xa900, errorComment: 'no \u00e9lement\\x' }) };
    peer.send(rawStore(1, Buffer.from('ab')));
    expect(await peer.response()).toMatchObject({ status: 0xa900, errorComment: 'no ?lement?x' });
    harness.sinkScript = { write: () => Promise.reject(new DimseFailure(0xa700)) };
    peer.send(rawStore(2, Buffer.from('ab')));
    expect((await peer.response()).status).toBe(0xa700);
    expect(harness.objects[1]?.fate).toBe('aborted');
    harness.sinkScript = { end: () => { throw new Error('defect'); } };
    peer.send(rawStore(3, Buffer.from('ab')));
    expect((await peer.response()).status).toBe(0x0110);
    expect(harness.types()).toEqual(['accepted', 'failure']);
  });

  it('given a service that refuses before the first byte, then nothing is written and the status is its own', async () => {
    const harness = new AcceptorHarness({ services: { store: { begin: () => { throw new DimseFailure(0xa700, 'full'); } } } });
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawStore(1, Buffer.alloc(1000)));
    expect(await peer.response()).toMatchObject({ status: 0xa700, errorComment: 'full' });
  });
});

describe('acceptor: back-pressure and pipelining', () => {
  it('given a sink that takes its time, then it gets no further bytes until it is ready', async () => {
    const harness = new AcceptorHarness();
    const gates: (() => void)[] = [];
    harness.sinkScript = { write: () => new Promise((resolve) => gates.push(resolve)) };
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(rawData(rawPdv(1, 3, rawStoreRq(1))), rawData(rawPdv(1, 0, Buffer.from('one'))), rawData(rawPdv(1, 2, Buffer.from('two'))));
    await settle();
    expect(harness.objects[0]?.bytes.toString()).toBe('one');
    gates.shift()?.();
    await settle();
    expect(harness.objects[0]).toMatchObject({ fate: 'open' });
    expect(harness.objects[0]?.bytes.toString()).toBe('onetwo');
    gates.shift()?.();
    expect((await peer.response()).status).toBe(0);
  });

  const window = Buffer.from([0x53, 0, 0, 4, 0, 2, 0, 1]);
  it('given a window of two, then two run at once, a third waits, and answers keep the order of the requests', async () => {
    const harness = new AcceptorHarness();
    const ends: ((outcome: StoreOutcome) => void)[] = [];
    harness.sinkScript = { end: () => new Promise((resolve) => ends.push(resolve)) };
    const peer = harness.connect();
    const answer = decodeAssociateAc(await peer.associate(rawAssociateRq({ userItems: [window] })));
    expect(answer.user.operationsWindow).toEqual({ maxInvoked: 2, maxPerformed: 1 });
    peer.send(rawStore(1, Buffer.from('a1')), rawStore(2, Buffer.from('b2')), rawStore(3, Buffer.from('c3')));
    await settle();
    expect(harness.objects).toHaveLength(2);
    ends[1]?.({ status: 0xb000 });
    await settle();
    expect(peer.unread).toHaveLength(0);
    ends[0]?.({ status: 0 });
    expect(await peer.response()).toMatchObject({ messageId: 1, status: 0 });
    expect(await peer.response()).toMatchObject({ messageId: 2, status: 0xb000 });
    await settle();
    ends[2]?.({ status: 0 });
    expect(await peer.response()).toMatchObject({ messageId: 3 });
  });

  it('given a peer that pipelines without asking, then requests are worked off one by one and a release waits for them', async () => {
    const harness = new AcceptorHarness();
    harness.sinkScript = { end: () => new Promise((resolve) => setImmediate(() => resolve({ status: 0 }))) };
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(...[1, 2, 3, 4].map((id) => rawStore(id, Buffer.from('ab'))), RAW_RELEASE_RQ);
    for (const messageId of [1, 2, 3, 4]) expect(await peer.response()).toMatchObject({ messageId, status: 0 });
    await peer.expect(6);
  });

  it('given a message id that is still unanswered, then 0210', async () => {
    const harness = new AcceptorHarness();
    const ends: ((outcome: StoreOutcome) => void)[] = [];
    harness.sinkScript = { end: () => new Promise((resolve) => ends.push(resolve)) };
    const peer = harness.connect();
    await peer.associate(rawAssociateRq({ userItems: [window] }));
    peer.send(rawStore(1, Buffer.from('a1')), rawStore(1, Buffer.from('b2')));
    await settle();
    ends[0]?.({ status: 0 });
    expect((await peer.response()).status).toBe(0);
    expect((await peer.response()).status).toBe(0x0210);
  });
});

describe('acceptor: protocol faults end in a defined abort and disturb nobody else', () => {
  const command = rawStoreRq(1);
  const withLie = Buffer.from(command);
  withLie.writeUInt32LE(command.length, 8);
  it.each([
    ['2/1', 'an unknown PDU type', rawPdu(9, Buffer.alloc(4))],
    ['2/2', 'a second association request', rawAssociateRq()],
    ['2/2', 'an A-ASSOCIATE-RJ', rawPdu(3, Buffer.alloc(4))],
    ['2/2', 'an A-RELEASE-RP', rawPdu(6, Buffer.alloc(4))],
    ['2/2', 'a release in the middle of an object', Buffer.concat([rawData(rawPdv(1, 3, command)), RAW_RELEASE_RQ])],
    ['2/6', 'P-DATA above the maximum', rawPdu(4, Buffer.alloc(0), 131_073)],
    ['2/6', 'a value of length 0', rawData(rawPdv(1, 3, Buffer.alloc(0), 0))],
    ['2/6', 'a value of length 1', rawData(rawPdv(1, 3, Buffer.alloc(0), 1))],
    ['2/6', 'an even context id', rawData(rawPdv(2, 3, command))],
    ['2/6', 'a context that was never proposed', rawData(rawPdv(77, 3, command))],
    ['2/6', 'a lying group length', rawData(rawPdv(1, 3, withLie))],
    ['2/6', 'a truncated command', rawData(rawPdv(1, 3, command.subarray(0, command.length - 3)))],
    ['2/6', 'an empty command', rawData(rawPdv(1, 3, Buffer.alloc(0)))],
    ['2/6', 'a command without end', rawData(...Array.from({ length: 33 }, () => rawPdv(1, 1, Buffer.alloc(2000))))],
    ['2/5', 'a dataset without a command', rawData(rawPdv(1, 2, Buffer.alloc(10)))],
    ['2/5', 'a command while a dataset is pending', rawData(rawPdv(1, 3, command), rawPdv(1, 3, command))],
    ['2/5', 'a dataset inside a command', rawData(rawPdv(1, 1, command.subarray(0, 20)), rawPdv(1, 0, Buffer.alloc(4)))],
    ['2/5', 'another context in the middle of a message', rawData(rawPdv(1, 3, command), rawPdv(3, 2, Buffer.alloc(4)))],
    ['2/5', 'a response to nothing', rawData(rawPdv(3, 3, rawStoreRqWith({ 0x0100: 0x8001, 0x0800: 0x0101 })))],
  ])('A-ABORT %s for %s', async (expected, _name, bytes) => {
    const harness = new AcceptorHarness();
    const neighbour = harness.connect();
    await neighbour.associate(rawAssociateRq({ callingAet: 'NEIGHBOUR' }));
    neighbour.send(rawData(rawPdv(1, 3, rawStoreRq(4))), rawData(rawPdv(1, 0, Buffer.from('half'))));
    const peer = harness.connect();
    await peer.associate(rawAssociateRq());
    peer.send(bytes, rawStore(2, Buffer.alloc(2)));
    expect(abortReason(await peer.expect(7))).toBe(expected);
    harness.timers.advance(500);
    await peer.closed();
    await settle();
    expect(harness.events.at(-1)).toMatchObject({ type: 'aborted', by: 'us', callingAet: 'PEER' });
    neighbour.send(rawData(rawPdv(1, 2, Buffer.from('+half'))));
    expect(await neighbour.response()).toMatchObject({ messageId: 4, status: 0 });
    expect(harness.objects.filter((object) => object.fate === 'ended').map((object) => object.bytes.toString())).toEqual(['half+half']);
  });

  it('given P-DATA before any request, then A-ABORT, and given a peer that closes before it asked, then silence', async () => {
    const harness = new AcceptorHarness();
    expect(abortReason(await harness.connect().send(rawStore(1, Buffer.alloc(2))).expect(7))).toBe('2/2');
    const events = harness.events.length;
    harness.connect().vanish();
    await settle();
    expect(harness.events).toHaveLength(events);
  });
});

function rawStoreRqWith(change: Record<number, number | string>): Buffer {
  const bytes = Buffer.from(rawStoreRq(1));
  const parts: Buffer[] = [];
  for (let at = 12; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    const value = change[bytes.readUInt16LE(at + 2)];
    const body = value === undefined ? bytes.subarray(at + 8, end)
      : typeof value === 'number' ? Buffer.from([value & 0xff, value >> 8]) : Buffer.from(value.length % 2 ? `${value}\0` : value);
    const header = Buffer.from(bytes.subarray(at, at + 8));
    header.writeUInt32LE(body.length, 4);
    parts.push(header, body);
    at = end;
  }
  const body = Buffer.concat(parts);
  const length = Buffer.from(bytes.subarray(0, 12));
  length.writeUInt32LE(body.length, 8);
  return Buffer.concat([length, body]);
}
