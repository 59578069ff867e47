// A throw-away self-signed certificate for loopback: `key.pem` and `ca.pem` in the folder.
import { join } from 'node:path';
import { runOrThrow } from './backend-cache.js';

export function makeLoopbackCertificate(directory: string): void {
  const files = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'ca.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  runOrThrow('openssl', ['req', '-x509', ...key, '-days', '3650', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', ...files]);
}
