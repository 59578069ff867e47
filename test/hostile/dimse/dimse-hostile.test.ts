// What strangers and broken senders do to a DICOM port, each with the figure it must keep: closed within a second, memory
// within bounds, nobody else disturbed. The same faults are tested one by one beside the code; here the process is measured.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  RAW_RELEASE_RQ, rawAssociateRq, rawData, rawEchoRq, rawPdu, rawPdv, rawStore, rawStoreRq, ScriptedPeer,
} from '@perennia/testing';
import { AcceptorUnderTest } from './acceptor-under-test.js';

const MEBIBYTE = 1024 * 1024;
const CLOSE_WITHIN_MS = 1000;

const header = (type: number, length: number): Buffer => rawPdu(type, Buffer.alloc(0), length);
const TLS_HELLO = Buffer.concat([Buffer.from('16030102000100', 'hex'), Buffer.alloc(512, 0x42)]);
const HTTP_GET = Buffer.from('GET / HTTP/1.1\r\nHost: archive\r\nUser-Agent: probe\r\n\r\n');
const ids = (count: number): number[] => Array.from({ length: count }, (_, n) => 2 * n + 1);
const contexts = (count: number, syntaxes: number) =>
  ids(count).map((id) => ({ id, abstractSyntax: `1.2.840.${id}`, transferSyntaxes: Array.from({ length: syntaxes }, (_, n) => `1.2.${n}`) }));

const STRANGERS: readonly (readonly [string, Buffer])[] = [
  ['P-DATA of 4 GiB', header(4, 0xffffffff)],
  ['A-ASSOCIATE-RQ of 4 GiB', header(1, 0xffffffff)],
  ['an HTTP request', HTTP_GET],
  ['a TLS hello', TLS_HELLO],
  ['P-DATA before any association', rawStore(1, Buffer.alloc(100))],
  ['an even context id', rawAssociateRq({ contexts: [{ id: 2, abstractSyntax: '1.2', transferSyntaxes: ['1.2'] }] })],
  ['129 contexts', rawAssociateRq({ contexts: [...contexts(128, 1), ...contexts(1, 1)] })],
  ['256 KiB and one byte of request', header(1, 256 * 1024 + 1)],
];

const GUESTS: readonly (readonly [string, Buffer])[] = [
  ['P-DATA of 4 GiB', header(4, 0xffffffff)],
  ['P-DATA one above the maximum', header(4, 131_073)],
  ['a value of length 0', rawData(rawPdv(1, 3, Buffer.alloc(0), 0))],
  ['a value of length 1', rawData(rawPdv(1, 3, Buffer.alloc(0), 1))],
  ['a value of 4 GiB', rawData(rawPdv(1, 3, Buffer.alloc(20), 0xffffffff))],
  ['an even context id', rawData(rawPdv(2, 3, rawStoreRq(1)))],
  ['a dataset without a command', rawData(rawPdv(1, 2, Buffer.alloc(1000)))],
  ['a command while a dataset is pending', rawData(rawPdv(1, 3, rawStoreRq(1)), rawPdv(1, 3, rawStoreRq(2)))],
  ['a truncated command', rawData(rawPdv(1, 3, rawStoreRq(1).subarray(0, 30)))],
  ['a command of 100 KB', rawData(...Array.from({ length: 50 }, () => rawPdv(1, 1, Buffer.alloc(2000))))],
  ['a request in the middle', rawAssociateRq()],
];

const leaveByRelease = (peer: ScriptedPeer): Promise<unknown> => peer.send(RAW_RELEASE_RQ).expect(6).then(() => peer.transport.destroy());
const leaveByAbort = (peer: ScriptedPeer): Promise<void> => peer.send(rawPdu(7, Buffer.alloc(4))).closed().then(() => void peer.transport.destroy());
const leaveByReset = (peer: ScriptedPeer): void => peer.send(rawStore(1, Buffer.alloc(5000)).subarray(0, 4000)).vanish();

async function millisecondsToEnd(peer: ScriptedPeer): Promise<number> {
  const start = performance.now();
  await peer.closed();
  return performance.now() - start;
}

/** Associates unless it is a stranger, sends, and says how long the archive took to end it and with which abort. */
async function attack(port: number, bytes: Buffer, associate: boolean): Promise<{ elapsedMs: number; abort: string }> {
  const peer = await ScriptedPeer.connect(port);
  if (associate) await peer.associate(rawAssociateRq());
  peer.send(bytes);
  const elapsedMs = await millisecondsToEnd(peer);
  const abort = peer.unread.find((pdu) => pdu.type === 7)?.body;
  peer.transport.destroy();
  return { elapsedMs, abort: `${abort?.[2]}/${abort?.[3]}` };
}

describe('hostile bytes on the DICOM port', () => {
  let archive: AcceptorUnderTest;
  let neighbour: ScriptedPeer;

  beforeAll(async () => {
    archive = await AcceptorUnderTest.start();
    // The first associations and aborts load code: they are not what is measured.
    for (const [, bytes] of STRANGERS) await attack(archive.port, bytes, false);
    for (let round = 0; round < 100; round++) await attack(archive.port, HTTP_GET, round % 2 === 0);
    neighbour = await ScriptedPeer.connect(archive.port);
    await neighbour.associate(rawAssociateRq({ callingAet: 'NEIGHBOUR' }));
  });
  afterAll(() => archive.stop());
  beforeEach(() => void neighbour.send(rawData(rawPdv(1, 3, rawStoreRq(1))), rawData(rawPdv(1, 0, Buffer.alloc(1000)))));

  async function expectNeighbourUndisturbed(): Promise<void> {
    neighbour.send(rawData(rawPdv(1, 2, Buffer.alloc(1000))));
    expect((await neighbour.response()).status).toBe(0);
  }

  const cases = [
    ...STRANGERS.map(([name, bytes]) => ({ name: `a stranger: ${name}`, bytes, associate: false })),
    ...GUESTS.map(([name, bytes]) => ({ name: `in an association: ${name}`, bytes, associate: true })),
  ];
  it.each(cases)('$name: aborted by the provider within 1 s, memory below +10 MB', async ({ bytes, associate }) => {
    const before = await archive.measure();
    const { elapsedMs, abort } = await attack(archive.port, bytes, associate);
    const after = await archive.measure();
    expect(abort).toMatch(/^2\/[1256]$/);
    expect(elapsedMs).toBeLessThan(CLOSE_WITHIN_MS);
    expect(after.peakBytes - before.peakBytes).toBeLessThan(10 * MEBIBYTE);
    expect(after.virtualBytes - before.virtualBytes).toBeLessThan(10 * MEBIBYTE);
    await expectNeighbourUndisturbed();
  });

  it.each(STRANGERS)('a stranger: %s, 100 at once: all ended within 2 s, memory below +50 MB', async (_name, bytes) => {
    const before = await archive.measure();
    const attacks = await Promise.all(Array.from({ length: 100 }, () => attack(archive.port, bytes, false)));
    const after = await archive.measure();
    expect(Math.max(...attacks.map(({ elapsedMs }) => elapsedMs))).toBeLessThan(2 * CLOSE_WITHIN_MS);
    expect(after.peakBytes - before.peakBytes).toBeLessThan(50 * MEBIBYTE);
    expect(after.virtualBytes - before.virtualBytes).toBeLessThan(50 * MEBIBYTE);
    await expectNeighbourUndisturbed();
  });

  it('the largest possible request (128 contexts, 250 KB of transfer syntaxes), 100 times: memory below +50 MB', async () => {
    const bomb = rawAssociateRq({ contexts: contexts(128, 190), callingAet: 'BOMB' });
    expect(bomb.length).toBeGreaterThan(200 * 1024);
    const before = await archive.measure();
    for (let round = 0; round < 100; round++) {
      const peer = await ScriptedPeer.connect(archive.port);
      await peer.associate(bomb);
      await peer.send(RAW_RELEASE_RQ).expect(6);
      peer.transport.destroy();
    }
    const after = await archive.measure();
    expect(after.peakBytes - before.peakBytes).toBeLessThan(50 * MEBIBYTE);
    await expectNeighbourUndisturbed();
  });

  it('500 slow drips: others are served within 200 ms meanwhile, and every drip has ended after 13 s', async () => {
    const drips: ScriptedPeer[] = [];
    for (let n = 0; n < 500; n++) {
      const peer = await ScriptedPeer.connect(archive.port);
      // Half of them never finish their request, half stop in the middle of an object.
      if (n % 2 === 0) await peer.associate(rawAssociateRq({ callingAet: `DRIP${n % 16}` }));
      peer.send(n % 2 === 0 ? rawStore(1, Buffer.alloc(50_000)).subarray(0, 300) : rawAssociateRq().subarray(0, 30));
      drips.push(peer);
    }
    const start = performance.now();
    const ended = Promise.all(drips.map((peer) => peer.closed())).then(() => performance.now() - start);
    const drip = setInterval(() => drips.forEach((peer) => peer.send(Buffer.alloc(1))), 500);
    let slowestEchoMs = 0;
    for (let messageId = 1; messageId <= 100; messageId++) {
      const peer = await ScriptedPeer.connect(archive.port);
      const asked = performance.now();
      await peer.associate(rawAssociateRq({ callingAet: 'HONEST' }));
      peer.send(rawData(rawPdv(3, 3, rawEchoRq(messageId))));
      expect((await peer.response()).status).toBe(0);
      slowestEchoMs = Math.max(slowestEchoMs, performance.now() - asked);
      await peer.send(RAW_RELEASE_RQ).expect(6);
      peer.transport.destroy();
    }
    neighbour.send(rawData(rawPdv(1, 2, Buffer.alloc(1000))));
    expect((await neighbour.response()).status).toBe(0);
    const elapsedMs = await ended;
    clearInterval(drip);
    for (const peer of drips) peer.transport.destroy();
    expect(slowestEchoMs).toBeLessThan(200);
    expect(elapsedMs).toBeLessThan(13_000);
  });

  it('2,000 releases, 500 aborts, 500 resets in mid-PDU: heap within 5 % of its value after 1,000, no descriptor left', async () => {
    const leave = async (end: (peer: ScriptedPeer) => Promise<unknown> | void): Promise<void> => {
      const peer = await ScriptedPeer.connect(archive.port);
      await peer.associate(rawAssociateRq({ callingAet: 'CHURN' }));
      await end(peer);
    };
    const settled = async (): Promise<Awaited<ReturnType<AcceptorUnderTest['measure']>>> => {
      for (;;) {
        const measured = await archive.measure();
        if (measured.associations <= 1) return archive.measure();
      }
    };
    for (let n = 0; n < 1000; n++) await leave(leaveByRelease);
    const baseline = await settled();
    for (let n = 0; n < 1000; n++) await leave(leaveByRelease);
    for (let n = 0; n < 500; n++) await leave(leaveByAbort);
    for (let n = 0; n < 500; n++) await leave(leaveByReset);
    const after = await settled();
    expect(after.heapBytes).toBeLessThan(baseline.heapBytes * 1.05);
    expect(after.descriptors).toBeLessThanOrEqual(baseline.descriptors + 2);
    expect(archive.alive).toBe(true);
  });
});
