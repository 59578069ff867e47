// The seam for TLS: the acceptor takes any connected socket, the requestor any way to connect. A pre-shared key spares
// the test its certificates.
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server } from 'node:tls';
import { AcceptorHarness, CT_IMAGE_STORAGE, EXPLICIT_LITTLE, rawAssociateRq, ScriptedPeer } from '@perennia/testing';
import { DicomRequestor } from './requestor.js';

const psk = Buffer.from('0123456789abcdef');
const SECURITY = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

describe('associations over TLS', () => {
  const harness = new AcceptorHarness();
  let server: Server;

  async function listen(): Promise<number> {
    server = createServer({ ...SECURITY, pskCallback: () => psk }, (socket) => harness.acceptor.handleSocket(socket));
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  afterEach(() => void server.close());

  it('given a TLS socket on both sides, then a large object arrives whole', async () => {
    const port = await listen();
    const association = await DicomRequestor.connect({
      host: '127.0.0.1', port, callingAet: 'SCU', calledAet: 'SCP',
      contexts: [{ abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [EXPLICIT_LITTLE] }],
      connect: async () => {
        const socket = connect({ ...SECURITY, host: '127.0.0.1', port, checkServerIdentity: () => undefined, pskCallback: () => ({ psk, identity: 'scu' }) });
        await once(socket, 'secureConnect');
        return socket;
      },
    });
    const dataset = Buffer.alloc(3_000_000, 'dicom');
    const outcome = await association.store({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: '1.2.3', transferSyntaxUid: EXPLICIT_LITTLE, dataset });
    expect(outcome).toEqual({ status: 0 });
    expect(harness.objects[0]?.bytes.equals(dataset)).toBe(true);
    expect(harness.objects[0]?.request.peer.address).toBe('127.0.0.1');
    await association.release();
  });

  it('given a plain association request on the TLS port, then it is closed before any DICOM byte is read', async () => {
    const associationsBefore = harness.events.length;
    const peer = await ScriptedPeer.connect(await listen());
    await peer.send(rawAssociateRq()).closed();
    expect(peer.unread.some((pdu) => pdu.type === 2 || pdu.type === 3)).toBe(false);
    expect(harness.events).toHaveLength(associationsBefore);
  });
});
