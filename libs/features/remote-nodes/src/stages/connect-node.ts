// The stages from the name of a remote node to a transport on which an association can be opened.
import type { Duplex } from 'node:stream';
import type { RemoteNodeSettings } from '../remote-node.js';
import { connectLate, connectTcp } from './connect-tcp.js';
import { lookupLate, resolveHost } from './resolve-host.js';
import { handshakeLate, secureTransport, type SecurityOptions } from './secure-transport.js';
import type { StageLog } from './stage-log.js';

export type NodeAddress = Pick<RemoteNodeSettings, 'host' | 'port' | 'tls'>;

/** @param end ends the connection, however far it came. @throws StageFailure */
export async function connectNode({ host, port, tls }: NodeAddress, log: StageLog, end: AbortSignal, security: SecurityOptions): Promise<Duplex> {
  const addresses = await log.run({
    name: 'dns', work: () => resolveHost(host), found: (all) => all.map(({ address }) => address).join(', '), late: lookupLate(host),
  });
  const socket = await log.run({
    name: 'tcp', work: () => connectTcp({ host, port, addresses }, end),
    found: ({ remoteAddress }) => `connected to ${remoteAddress}, port ${port}`, late: connectLate(host, port),
  });
  if (!tls) return socket;
  return log.run({
    name: 'tls', work: () => secureTransport(socket, host, security),
    found: (secure) => `${secure.getProtocol()}, certificate valid until ${secure.getPeerCertificate().valid_to}`, late: handshakeLate(host),
  });
}
