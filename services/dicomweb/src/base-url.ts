// The URL under which the client of a request reaches the service, for RetrieveURL, BulkDataURI and Link. Forwarded headers
// (RFC 7239, X-Forwarded-*) count only from proxies that are trusted. A Host without a port gets the port of the connection:
// some HTTP libraries leave it out.
import { BlockList, isIP, type Socket } from 'node:net';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { DicomwebConfig } from './dicomweb.config.js';

const AUTHORITY = /^(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+)*\/?$/;

interface Origin {
  protocol: string;
  authority: string;
  /** Path a proxy has cut off. */
  prefix: string;
}

export class BaseUrl {
  private readonly proxies = new BlockList();

  constructor(private readonly config: Pick<DicomwebConfig, 'publicUrl' | 'trustedProxies' | 'pathPrefix'>) {
    for (const entry of config.trustedProxies) {
      const [address, bits] = entry.split('/') as [string, string | undefined];
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.proxies.addAddress(address, family);
      else this.proxies.addSubnet(address, Number(bits), family);
    }
  }

  /** Without a slash at its end. */
  of({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string {
    if (this.config.publicUrl !== undefined) return this.config.publicUrl;
    const direct = directOrigin(headers, socket);
    const { protocol, authority, prefix } = this.config.trustedProxies.length > 0 && this.trusts(socket) ? forwardedOrigin(headers, direct) : direct;
    return `${protocol}://${authority}${prefix}${this.config.pathPrefix}`;
  }

  private trusts({ remoteAddress = '' }: Socket): boolean {
    const plain = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
    const family = isIP(plain);
    return family !== 0 && this.proxies.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }
}

function directOrigin({ host }: IncomingHttpHeaders, socket: Socket): Origin {
  const protocol = 'encrypted' in socket && socket.encrypted ? 'https' : 'http';
  const standardPort = protocol === 'https' ? 443 : 80;
  const port = socket.localPort === standardPort || socket.localPort === undefined ? '' : `:${socket.localPort}`;
  if (host === undefined || !AUTHORITY.test(host)) {
    const address = socket.localAddress ?? '127.0.0.1';
    return { protocol, authority: `${isIP(address) === 6 ? `[${address}]` : address}${port}`, prefix: '' };
  }
  return { protocol, authority: /:\d+$/.test(host) ? host : host + port, prefix: '' };
}

const first = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)?.split(',')[0]!.trim();

/** The outermost proxy stands first in each header. */
function forwardedOrigin(headers: IncomingHttpHeaders, direct: Origin): Origin {
  const pairs = new Map((first(headers.forwarded) ?? '').split(';').map((pair) => [pair.split('=')[0]!.trim().toLowerCase(), pair.slice(pair.indexOf('=') + 1).trim().replace(/^"(.*)"$/, '$1')]));
  const protocol = pairs.get('proto') ?? first(headers['x-forwarded-proto']);
  const host = pairs.get('host') ?? first(headers['x-forwarded-host']);
  const port = first(headers['x-forwarded-port']);
  const prefix = first(headers['x-forwarded-prefix']);
  const known = protocol === 'http' || protocol === 'https' ? protocol : direct.protocol;
  const authority = host !== undefined && AUTHORITY.test(host) ? withPort(host, port, known) : direct.authority;
  return { protocol: known, authority, prefix: prefix !== undefined && PREFIX.test(prefix) ? prefix.replace(/\/$/, '') : '' };
}

function withPort(host: string, port: string | undefined, protocol: string): string {
  if (port === undefined || !/^\d{1,5}$/.test(port) || /:\d+$/.test(host)) return host;
  return port === (protocol === 'https' ? '443' : '80') ? host : `${host}:${port}`;
}
