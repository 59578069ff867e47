import { describe, expect, it } from '@jest/globals';
import { connectFailure } from './connect-tcp.js';
import { lookupFailure } from './resolve-host.js';
import { handshakeFailure } from './secure-transport.js';

describe('D01 sentences of failures', () => {
  it.each([
    [lookupFailure('pacs', 'ENOTFOUND'), 'There is no host named pacs'],
    [lookupFailure('pacs', 'EAI_AGAIN'), 'The name server did not answer for pacs'],
    [lookupFailure('pacs', 'EAI_FAIL'), 'The name pacs could not be resolved (EAI_FAIL)'],
    [connectFailure('pacs', 104, 'ECONNREFUSED'), 'Nothing listens on port 104 of pacs'],
    [connectFailure('pacs', 104, 'ETIMEDOUT'), 'pacs did not answer on port 104'],
    [connectFailure('pacs', 104, 'EHOSTUNREACH'), 'There is no way to pacs (EHOSTUNREACH)'],
    [connectFailure('pacs', 104, 'EPERM'), 'This machine may not connect to pacs (EPERM)'],
    [connectFailure('pacs', 104, 'ECONNRESET'), 'The connection to pacs, port 104, failed (ECONNRESET)'],
    [handshakeFailure('pacs', 'CERT_HAS_EXPIRED'), 'The certificate of pacs has expired'],
    [handshakeFailure('pacs', 'CERT_NOT_YET_VALID'), 'The certificate of pacs is not valid yet'],
    [handshakeFailure('pacs', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'), 'The certificate of pacs was issued by nobody this machine trusts (UNABLE_TO_GET_ISSUER_CERT_LOCALLY)'],
    [handshakeFailure('pacs', 'ECONNRESET'), 'pacs ended the connection amid the TLS handshake'],
    [handshakeFailure('pacs', 'ERR_SSL_UNSUPPORTED_PROTOCOL'), 'There was no TLS handshake with pacs (ERR_SSL_UNSUPPORTED_PROTOCOL)'],
  ])('%s', ({ found, remedy }, sentence) => {
    expect(found).toBe(sentence);
    expect(remedy).toMatch(/^[A-Z].*[^.]$/);
  });
});
