// D01: a verification tells the stage that failed, against peers that fail in each way, and against dcmtk's storescp.
import { execFile, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ContextResult, DicomAcceptor, DicomRequestor, Rejection, type DicomAcceptorOptions } from '@perennia/dicom-net';
import { UnavailableError } from '@perennia/errors';
import { CT_IMAGE_STORAGE, dcmtkTool, EXPLICIT_LITTLE, freePort, hasBackend, IMPLICIT_LITTLE, makeLoopbackCertificate, VERIFICATION } from '@perennia/testing';
import { SystemClock } from '@perennia/telemetry';
import type { NodeVerification } from './node-verification.js';
import { openNodeTransport } from './open-node-transport.js';
import { verifyNode, type VerificationOptions, type VerifiedNode } from './verify-node.js';

const clock = new SystemClock();
const folder = mkdtempSync(join(tmpdir(), 'remote-nodes-'));
let closing: (() => Promise<unknown> | unknown)[] = [];

beforeAll(() => makeLoopbackCertificate(folder));
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const certificate = (): string => readFileSync(join(folder, 'ca.pem'), 'utf8');
const key = (): string => readFileSync(join(folder, 'key.pem'), 'utf8');

const verify = (over: Partial<VerifiedNode>, options: Partial<VerificationOptions> = {}): Promise<NodeVerification> =>
  verifyNode({ aeTitle: 'NODE', host: '127.0.0.1', port: 1, tls: false, ...over }, { callingAet: 'PERENNIA', clock, timeoutMs: 5000, ...options });

/** `dns ok, tcp ok, association failed`, and what was said of the last one. */
const outline = ({ stages }: NodeVerification): string => stages.map(({ stage, ok }) => `${stage} ${ok ? 'ok' : 'failed'}`).join(', ');
const last = ({ stages }: NodeVerification) => stages.at(-1)!;

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((done) => server.listen(0, host, done));
  closing.push(() => new Promise((done) => {
    server.close(done);
    for (const socket of sockets) socket.destroy();
  }));
  return (server.address() as AddressInfo).port;
}

function acceptor(over: Partial<DicomAcceptorOptions> = {}): DicomAcceptor {
  const made = new DicomAcceptor({
    authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }), services: { echo: () => 0 }, limits: { abortLingerMs: 10 }, ...over,
  });
  closing.push(() => made.close({ graceMs: 0 }));
  return made;
}
const accepting = async (over: Partial<DicomAcceptorOptions> = {}): Promise<number> => (await acceptor(over).listen({ host: '127.0.0.1', port: 0 })).port;

function securely(over: Partial<DicomAcceptorOptions> = {}, host?: string): Promise<number> {
  const behind = acceptor(over);
  const server = createTlsServer({ key: key(), cert: certificate() }, (socket) => behind.handleSocket(socket));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return listen(server, host);
}

describe('D01 verifyNode', () => {
  it('given a good node, then all stages are there in order, each with what was found and how long it took', async () => {
    const result = await verify({ port: await accepting() });
    expect(outline(result)).toBe('dns ok, tcp ok, association ok, echo ok');
    expect(result).toMatchObject({ ok: true, refusedContexts: [] });
    expect(result.stages.map(({ found }) => found)).toEqual([
      '127.0.0.1', expect.stringMatching(/^connected to 127\.0\.0\.1, port \d+$/), 'accepted, with 1 of 1 presentation contexts', 'answered with success',
    ]);
    for (const { durationMs, remedy } of result.stages) {
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(remedy).toBeUndefined();
    }
  });

  it('given a good node, then the association is released in order', async () => {
    const events: string[] = [];
    const ended = Promise.withResolvers<void>();
    const port = await accepting({ onEvent: ({ type }) => (events.push(type), type !== 'accepted' && ended.resolve()) });
    await verify({ port });
    await ended.promise;
    expect(events).toEqual(['accepted', 'released']);
  });

  it('given a name that there is not, then the stage dns fails', async () => {
    const result = await verify({ host: 'no-such-node.invalid' });
    expect(outline(result)).toBe('dns failed');
    expect(last(result).found).toContain('no-such-node.invalid');
  });

  it('given a port on which nothing listens, then the stage tcp fails', async () => {
    const result = await verify({ port: await freePort() });
    expect(outline(result)).toBe('dns ok, tcp failed');
    expect(last(result)).toMatchObject({ found: expect.stringMatching(/^Nothing listens on port \d+ of 127\.0\.0\.1$/), remedy: 'Start the DICOM service of the node, or correct the port' });
  });

  it('given a name with an address on which nothing listens, then the next address is tried', async () => {
    const port = await accepting();
    expect(outline(await verify({ host: 'localhost', port }))).toBe('dns ok, tcp ok, association ok, echo ok');
  });

  it('given a port that accepts and says nothing, then the stage association fails when its time is over, and the connection ends', async () => {
    const ended = Promise.withResolvers<void>();
    const port = await listen(createServer((socket) => socket.resume().on('close', () => ended.resolve())));
    const result = await verify({ port }, { timeoutMs: 100 });
    expect(outline(result)).toBe('dns ok, tcp ok, association failed');
    expect(last(result).found).toBe('The node did not answer the request for an association');
    expect(last(result).durationMs).toBeGreaterThanOrEqual(99);
    await ended.promise;
  });

  it('given a port of another program, then the stage association fails and says so', async () => {
    const port = await listen(createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))));
    const result = await verify({ port });
    expect(outline(result)).toBe('dns ok, tcp ok, association failed');
    expect(last(result).remedy).toContain('perhaps the port belongs to another program');
  });

  it('given a node that closes the connection, then the stage association fails', async () => {
    const port = await listen(createServer((socket) => socket.once('data', () => socket.destroy())));
    const result = await verify({ port });
    expect(outline(result)).toBe('dns ok, tcp ok, association failed');
    expect(last(result).found).toMatch(/^The connection failed: /);
  });

  it('given a node of another AE title, then the stage association fails and says what to correct', async () => {
    const result = await verify({ aeTitle: 'WRONG', port: await accepting({ aeTitles: ['RIGHT'] }) });
    expect(outline(result)).toBe('dns ok, tcp ok, association failed');
    expect(last(result)).toMatchObject({
      found: 'The association was rejected for good: the called AE title is not recognised',
      remedy: 'The node is not called WRONG: correct the AE title, in which upper and lower case differ',
    });
  });

  it.each([
    ['that does not know us', Rejection.callingAetNotRecognized, 'Make PERENNIA known to the node, with the address of this machine'],
    ['that is busy', Rejection.localLimitExceeded, 'Try again later; if it stays so, the node allows too few associations'],
    ['that gives no reason', Rejection.noReason, 'Look into the log of the node; often it does not know PERENNIA or the address of this machine'],
  ])('given a node %s, then the remedy says what to do', async (_who, rejection, remedy) => {
    expect(last(await verify({ port: await accepting({ authorize: () => ({ accept: false, ...rejection }) }) }))).toMatchObject({ stage: 'association', ok: false, remedy });
  });

  it('given a node that accepts the association but refuses Verification, then the stage association fails with the reason, and the association is released', async () => {
    const events: string[] = [];
    const port = await accepting({ authorize: () => ({ accept: true, acceptContext: () => ContextResult.abstractSyntaxNotSupported }), onEvent: ({ type }) => events.push(type) });
    const result = await verify({ port });
    expect(outline(result)).toBe('dns ok, tcp ok, association failed');
    expect(last(result).found).toBe('The node accepts the association, but not Verification: abstract syntax (SOP class) not supported');
    expect(result.refusedContexts).toEqual([
      { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LITTLE, EXPLICIT_LITTLE], result: 3, reason: 'abstract syntax (SOP class) not supported' },
    ]);
    expect(events).toEqual(['accepted', 'released']);
  });

  it('given further contexts, then each that is refused is told with its reason, and nothing fails by them', async () => {
    const answers: Record<string, string | 1 | 2 | 3 | 4> = { [VERIFICATION]: IMPLICIT_LITTLE, '1.1': 1, '1.2': 2, '1.3': 3, '1.4': 4, [CT_IMAGE_STORAGE]: EXPLICIT_LITTLE };
    const port = await accepting({ authorize: () => ({ accept: true, acceptContext: (abstractSyntax) => answers[abstractSyntax]! }) });
    const contexts = ['1.1', '1.2', '1.3', '1.4', CT_IMAGE_STORAGE].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT_LITTLE] }));
    const result = await verify({ port }, { contexts });
    expect(result.ok).toBe(true);
    expect(result.stages.find(({ stage }) => stage === 'association')?.found).toBe('accepted, with 2 of 6 presentation contexts');
    expect(result.refusedContexts.map(({ abstractSyntax, reason }) => [abstractSyntax, reason])).toEqual([
      ['1.1', 'rejected by the application of the node'], ['1.2', 'rejected without a reason'],
      ['1.3', 'abstract syntax (SOP class) not supported'], ['1.4', 'none of the transfer syntaxes supported'],
    ]);
  });

  it('given a node that answers C-ECHO with another status, then the stage echo fails with it', async () => {
    const result = await verify({ port: await accepting({ services: { echo: () => 0x0122 } }) });
    expect(outline(result)).toBe('dns ok, tcp ok, association ok, echo failed');
    expect(last(result).found).toBe('The node answered C-ECHO with status 0122');
  });

  it('given a node that accepts associations and then answers nothing, then the stage echo fails when its time is over', async () => {
    const result = await verify({ port: await accepting({ services: { echo: () => new Promise<number>(() => undefined) } }) }, { timeoutMs: 100 });
    expect(outline(result)).toBe('dns ok, tcp ok, association ok, echo failed');
    expect(last(result).found).toBe('The node did not answer C-ECHO');
  });

  it('given a node that aborts amid C-ECHO, then the stage echo fails', async () => {
    const node: DicomAcceptor = acceptor({ services: { echo: () => ([...node.associations][0]?.abort('no more'), new Promise<number>(() => undefined)) } });
    const { port } = await node.listen({ host: '127.0.0.1', port: 0 });
    const result = await verify({ port });
    expect(outline(result)).toBe('dns ok, tcp ok, association ok, echo failed');
    expect(last(result).found).toMatch(/^The association was aborted/);
  });
});

describe('D01 verifyNode over TLS', () => {
  it('given a certificate of a trusted authority, then the stage tls is between tcp and association', async () => {
    const result = await verify({ host: 'localhost', port: await securely(), tls: true }, { ca: certificate() });
    expect(outline(result)).toBe('dns ok, tcp ok, tls ok, association ok, echo ok');
    expect(result.stages[2]?.found).toMatch(/^TLSv1\.3, certificate valid until .*20\d\d GMT$/);
  });

  it('given a certificate that names the address, then the address is enough', async () => {
    expect(await verify({ port: await securely(), tls: true }, { ca: certificate() })).toMatchObject({ ok: true });
  });

  it('given an unknown authority, then the stage tls fails and nothing of DICOM was said', async () => {
    const events: unknown[] = [];
    const result = await verify({ port: await securely({ onEvent: (event) => events.push(event) }), tls: true });
    expect(outline(result)).toBe('dns ok, tcp ok, tls failed');
    expect(last(result)).toMatchObject({
      found: 'The certificate of 127.0.0.1 was issued by nobody this machine trusts (DEPTH_ZERO_SELF_SIGNED_CERT)',
      remedy: 'Add the authority that issued it to the trusted certificates of this machine',
    });
    expect(events).not.toContainEqual(expect.objectContaining({ type: 'accepted' }));
  });

  it('given a certificate for another host, then the stage tls fails', async () => {
    const result = await verify({ host: '127.0.0.2', port: await securely({}, '127.0.0.2'), tls: true }, { ca: certificate() });
    expect(outline(result)).toBe('dns ok, tcp ok, tls failed');
    expect(last(result).found).toBe('The certificate does not name 127.0.0.2');
  });

  it('given a port without TLS, then the stage tls fails and says so', async () => {
    const result = await verify({ port: await accepting(), tls: true }, { ca: certificate() });
    expect(outline(result)).toBe('dns ok, tcp ok, tls failed');
    expect(last(result).remedy).toContain('The port is perhaps one without TLS');
  });

  it('given a port that accepts and says nothing, then the stage tls fails when its time is over', async () => {
    const port = await listen(createServer((socket) => socket.resume()));
    const result = await verify({ port, tls: true }, { timeoutMs: 100 });
    expect(outline(result)).toBe('dns ok, tcp ok, tls failed');
    expect(last(result).found).toBe('127.0.0.1 did not answer the TLS handshake');
  });

  it('given a port with TLS and a node without, then the stage association fails and names TLS', async () => {
    const result = await verify({ port: await securely() }, { timeoutMs: 1000 });
    expect(outline(result)).toBe('dns ok, tcp ok, association failed');
    expect(last(result).remedy).toContain('TLS');
  });
});

describe('openNodeTransport', () => {
  it.each([false, true])('given a good node (TLS: %s), then an association can be opened on it', async (tls) => {
    const node = { host: '127.0.0.1', port: tls ? await securely() : await accepting(), tls };
    const association = await DicomRequestor.connect({
      ...node, callingAet: 'PERENNIA', calledAet: 'NODE', contexts: [{ abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LITTLE] }],
      connect: () => openNodeTransport(node, { clock, ca: certificate() }),
    });
    expect(await association.echo()).toBe(0);
    await association.release();
  });

  it('given a port on which nothing listens, then it says so and that trying again may help', async () => {
    const failure = openNodeTransport({ host: '127.0.0.1', port: await freePort(), tls: false }, { clock });
    await expect(failure).rejects.toThrow(UnavailableError);
    await expect(failure).rejects.toMatchObject({ retriable: true, message: expect.stringContaining('Nothing listens'), remedy: expect.stringContaining('Start the DICOM service') });
  });
});

(hasBackend('dcmtk') ? describe : describe.skip)('D01 dcmtk as the node', () => {
  async function storescp(...options: string[]): Promise<number> {
    const port = await freePort();
    const node: ChildProcess = execFile(dcmtkTool('storescp')!, ['-od', folder, ...options, String(port)]);
    closing.push(() => new Promise<void>((done) => {
      node.once('exit', () => done());
      node.kill('SIGKILL');
    }));
    return port;
  }
  /** storescp says nothing when it is ready. */
  async function whenItListens(node: Partial<VerifiedNode>, options: Partial<VerificationOptions> = {}): Promise<NodeVerification> {
    for (let attempt = 1; ; attempt++) {
      const result = await verify(node, options);
      if (last(result).stage !== 'tcp' || attempt === 50) return result;
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  it('given storescp, then it is verified', async () => {
    expect(outline(await whenItListens({ port: await storescp('-aet', 'NODE') }))).toBe('dns ok, tcp ok, association ok, echo ok');
  });

  it('given storescp that takes implicit VR little endian alone, then a context in another transfer syntax is told as refused', async () => {
    const contexts = [{ abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: ['1.2.840.10008.1.2.4.90'] }];
    expect(await whenItListens({ port: await storescp('+xi') }, { contexts })).toMatchObject({
      ok: true, refusedContexts: [{ abstractSyntax: CT_IMAGE_STORAGE, result: 4, reason: 'none of the transfer syntaxes supported' }],
    });
  });

  it('given storescp that refuses associations, then the stage association fails', async () => {
    const result = await whenItListens({ port: await storescp('--refuse') });
    expect(outline(result)).toBe('dns ok, tcp ok, association failed');
    expect(last(result).found).toMatch(/^The association was rejected/);
  });

  it('given storescp over TLS, then it is verified', async () => {
    const port = await storescp('+tls', join(folder, 'key.pem'), join(folder, 'ca.pem'), '--ignore-peer-cert');
    expect(outline(await whenItListens({ host: 'localhost', port, tls: true }, { ca: certificate() }))).toBe('dns ok, tcp ok, tls ok, association ok, echo ok');
  });
});
