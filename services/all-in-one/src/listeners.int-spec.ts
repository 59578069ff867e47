import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { assertKnownPeers, assertPortsFree, openListeners, type Listener } from './listeners.js';

const aListener = (differences: Partial<Listener> = {}): Listener => ({
  name: 'DICOM listener', host: '127.0.0.1', port: 0, hostVariable: 'VNA_INGEST_HOST', portVariable: 'VNA_INGEST_PORT',
  peersAreKnown: false, remedy: 'List the senders', ...differences,
});

describe('listeners', () => {
  it.each(['127.0.0.1', '127.5.5.5', '::1', 'localhost'])('given %s, then it is loopback and allowed', (host) => {
    expect(() => assertKnownPeers([aListener({ host })], false)).not.toThrow();
  });
  it.each(['0.0.0.0', '::', '192.168.1.5'])('given %s and unknown peers, then it is refused unless declared unsafe', (host) => {
    expect(() => assertKnownPeers([aListener({ host })], false)).toThrow(`would listen on ${host}`);
    expect(() => assertKnownPeers([aListener({ host })], true)).not.toThrow();
    expect(openListeners([aListener({ host })])).toHaveLength(1);
    expect(() => assertKnownPeers([aListener({ host, peersAreKnown: true })], false)).not.toThrow();
  });
  it('given a port in use, then it is refused with the option that changes it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(assertPortsFree([aListener(), aListener({ port })])).rejects.toMatchObject({
      message: `Port ${port} on 127.0.0.1, wanted by the DICOM listener, is in use by another program`,
      remedy: expect.stringContaining('VNA_INGEST_PORT'),
    });
    server.close();
  });
});
