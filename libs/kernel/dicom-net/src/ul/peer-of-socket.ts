// The peer's address as the socket knows it, and its certificate where the socket is TLS.
import type { Duplex } from 'node:stream';
import type { PeerAddress } from './peer-address.js';

interface MaybeSocket {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  getPeerCertificate?(): { fingerprint256?: string } | null;
}

export function peerOfSocket(transport: Duplex): PeerAddress {
  const socket: MaybeSocket = transport as MaybeSocket;
  const fingerprint = socket.getPeerCertificate?.()?.fingerprint256;
  return {
    address: socket.remoteAddress ?? '',
    port: socket.remotePort ?? 0,
    ...(fingerprint ? { certificateSha256: fingerprint.replaceAll(':', '').toLowerCase() } : {}),
  };
}
