import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { BaseUrl } from './base-url.js';
import { DicomwebConfig } from './dicomweb.config.js';

const of = (headers: Record<string, string>, settings: Parameters<typeof DicomwebConfig.with>[0] = {}, socket: object = {}): string =>
  new BaseUrl(DicomwebConfig.with(settings)).of({ headers, socket: { localPort: 8080, localAddress: '127.0.0.1', remoteAddress: '10.0.0.7', ...socket } } as unknown as IncomingMessage);
const trusting = { trustedProxies: ['10.0.0.0/8'] };

describe('BaseUrl', () => {
  it.each<[string, Record<string, string>, object, string]>([
    ['Host with a port', { host: 'archive:9000' }, {}, 'http://archive:9000/dicom-web'],
    ['Host without one', { host: 'archive' }, {}, 'http://archive:8080/dicom-web'],
    ['Host without one on port 80', { host: 'archive' }, { localPort: 80 }, 'http://archive/dicom-web'],
    ['no Host', {}, {}, 'http://127.0.0.1:8080/dicom-web'],
    ['no Host on IPv6', {}, { localAddress: '::1' }, 'http://[::1]:8080/dicom-web'],
    ['a hostile Host', { host: 'x"><script>' }, {}, 'http://127.0.0.1:8080/dicom-web'],
    ['IPv6 Host', { host: '[::1]' }, {}, 'http://[::1]:8080/dicom-web'],
    ['TLS', { host: 'archive' }, { encrypted: true, localPort: 443 }, 'https://archive/dicom-web'],
    ['Forwarded of a stranger', { host: 'archive', forwarded: 'host=evil;proto=https' }, {}, 'http://archive:8080/dicom-web'],
  ])('understands %s', (_, headers, socket, expected) => expect(of(headers, {}, socket)).toBe(expected));

  it.each<[string, Record<string, string>, string]>([
    ['Forwarded', { host: 'inner', forwarded: 'for=1.2.3.4;host="pacs.example:444";proto=https, for=10.0.0.1' }, 'https://pacs.example:444/dicom-web'],
    ['X-Forwarded', { host: 'inner', 'x-forwarded-host': 'pacs.example, other', 'x-forwarded-proto': 'https', 'x-forwarded-port': '444', 'x-forwarded-prefix': '/a/b/' }, 'https://pacs.example:444/a/b/dicom-web'],
    ['a standard port', { host: 'inner', 'x-forwarded-host': 'pacs.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' }, 'https://pacs.example/dicom-web'],
    ['hostile values', { host: 'inner', 'x-forwarded-host': 'a b', 'x-forwarded-proto': 'javascript', 'x-forwarded-prefix': '/"x' }, 'http://inner:8080/dicom-web'],
  ])('W28 believes %s of a trusted proxy as far as it makes sense', (_, headers, expected) => {
    expect(of(headers, trusting)).toBe(expected);
    expect(of(headers, trusting, { remoteAddress: '::ffff:10.0.0.7' })).toBe(expected);
    expect(of(headers, trusting, { remoteAddress: '192.0.2.1' })).toBe('http://inner:8080/dicom-web');
  });
  it('W28 is what the configuration says when it says something', () => {
    expect(of({ host: 'x' }, { publicUrl: 'https://pacs.example/web' })).toBe('https://pacs.example/web');
  });
});
