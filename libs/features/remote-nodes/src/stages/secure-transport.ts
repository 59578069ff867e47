// TLS on a connected socket, as BCP 195 asks for it (PS3.15 §B.9 and later): 1.2 or later, the certificate of the peer verified.
import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect, getCACertificates, type TLSSocket } from 'node:tls';
import { errorCode, StageFailure } from './stage-failure.js';

export interface SecurityOptions {
  /** Authorities that are trusted, PEM; those of this system and of Node where absent. */
  readonly ca?: string | readonly string[];
}

/** @param host whom the certificate has to name. @throws StageFailure */
export async function secureTransport(socket: Socket, host: string, { ca }: SecurityOptions): Promise<TLSSocket> {
  const trusted = ca === undefined ? [...getCACertificates('default'), ...getCACertificates('system')] : [ca].flat();
  const secure = connect({ socket, host, ca: trusted, minVersion: 'TLSv1.2', ...(isIP(host) ? {} : { servername: host }) });
  secure.on('error', () => undefined);
  try {
    await once(secure, 'secureConnect');
    return secure;
  } catch (error) {
    throw handshakeFailure(host, errorCode(error));
  }
}

const UNTRUSTED = [
  'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT',
];

/** Codes of OpenSSL's verification and of Node's TLS. */
export function handshakeFailure(host: string, code: string): StageFailure {
  if (UNTRUSTED.includes(code)) {
    return new StageFailure(`The certificate of ${host} was issued by nobody this machine trusts (${code})`, 'Add the authority that issued it to the trusted certificates of this machine');
  }
  if (code === 'CERT_HAS_EXPIRED') return new StageFailure(`The certificate of ${host} has expired`, 'Have it renewed, and compare the clocks of both machines');
  if (code === 'CERT_NOT_YET_VALID') return new StageFailure(`The certificate of ${host} is not valid yet`, 'Compare the clocks of both machines');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return new StageFailure(`The certificate does not name ${host}`, 'Use the host name that stands in it, or have one made that names this host');
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return new StageFailure(`${host} ended the connection amid the TLS handshake`, 'The port is perhaps one without TLS, or the node wants a certificate of this archive, which it has none of yet');
  }
  return new StageFailure(`There was no TLS handshake with ${host} (${code})`, 'The port is perhaps one without TLS: name the one that has it, or add the node without --tls');
}

export const handshakeLate = (host: string): StageFailure =>
  new StageFailure(`${host} did not answer the TLS handshake`, 'The port is perhaps one without TLS: name the one that has it, or add the node without --tls');
