// A real HTTP proxy before a real server, which does to requests and answers what networks and busy servers do. The plan says per request
// what happens; without a plan everything passes as it is.
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { SeededRandom } from '../promise/seeded-random.js';

type Side = 'request' | 'response';
export type HttpFault =
  /** Answered by the proxy with an error of S3; the server sees nothing. */
  | { kind: 'status'; status: number; code: string }
  /** Success answered by the proxy; the server sees nothing. */
  | { kind: 'pretend'; headers?: Record<string, string>; body?: string }
  /** Neither reads nor answers. */
  | { kind: 'hang' }
  | { kind: 'slow'; bytesPerSecond: number }
  /** So much of the body, then the connection breaks. */
  | { kind: 'cut'; side: Side; afterBytes: number }
  /** So much of the body, then nothing more. */
  | { kind: 'stall'; side: Side; afterBytes: number }
  | { kind: 'flip'; side: Side; atByte: number }
  /** The server's answer with other headers. */
  | { kind: 'headers'; headers: Record<string, string> }
  /** The server has done it; its answer is lost. */
  | { kind: 'lost-answer' };

export interface SeenRequest {
  method: string;
  /** With the query. */
  path: string;
}
export type FaultPlan = (request: SeenRequest) => HttpFault | undefined;

export class HttpFaultProxy {
  plan: FaultPlan | undefined;
  /** Before every answer, as a store at some distance has it. */
  delayMs = 0;
  readonly seen: SeenRequest[] = [];
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(private readonly server: Server, private readonly target: URL) {
    server.on('request', (incoming: IncomingMessage, answer: ServerResponse) => this.serve(incoming, answer));
  }

  static async start(target: string): Promise<HttpFaultProxy> {
    const server = createServer({ keepAlive: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HttpFaultProxy(server, new URL(target));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Drops every connection, so that what hangs ends. */
  dropConnections(): void {
    this.server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.agent.destroy();
    this.dropConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(incoming: IncomingMessage, answer: ServerResponse): void {
    const seen = { method: incoming.method!, path: incoming.url! };
    this.seen.push(seen);
    const fault = this.plan?.(seen);
    incoming.on('error', () => undefined);
    answer.on('error', () => undefined);
    if (this.delayMs > 0) setTimeout(() => this.act(incoming, answer, fault), this.delayMs);
    else this.act(incoming, answer, fault);
  }

  private act(incoming: IncomingMessage, answer: ServerResponse, fault: HttpFault | undefined): void {
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'status') return void incoming.resume().on('end', () => answerError(answer, fault));
    if (fault?.kind === 'pretend') return void incoming.resume().on('end', () => answer.writeHead(200, { ...fault.headers, 'content-length': fault.body?.length ?? 0 }).end(fault.body));
    this.forward(incoming, answer, fault);
  }

  private forward(incoming: IncomingMessage, answer: ServerResponse, fault: HttpFault | undefined): void {
    const drop = (): void => void incoming.socket.destroy();
    const { hostname, port } = this.target;
    // The host is part of what was signed and stays as it came.
    const outgoing = request({ host: hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers, agent: this.agent });
    outgoing.on('error', drop);
    outgoing.on('response', (response) => {
      response.on('error', drop);
      if (fault?.kind === 'lost-answer') return void response.resume().on('end', drop);
      answer.writeHead(response.statusCode!, { ...response.headers, ...(fault?.kind === 'headers' && fault.headers) });
      pass(response, answer, bodyFault(fault, 'response', drop));
    });
    answer.on('close', () => answer.writableFinished || outgoing.destroy());
    pass(incoming, outgoing, bodyFault(fault, 'request', () => {
      outgoing.destroy();
      drop();
    }));
  }
}

/** The same requests fail at every run: that share of them, with one of the faults. */
export function failingShare(share: number, seed: number, faults: readonly HttpFault[], where: (request: SeenRequest) => boolean = () => true): FaultPlan {
  const random = new SeededRandom(seed);
  return (seen) => (where(seen) && random.next(1000) < 1000 * share ? faults[random.next(faults.length)] : undefined);
}

function answerError(answer: ServerResponse, { status, code }: { status: number; code: string }): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>By plan.</Message></Error>`;
  answer.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length }).end(body);
}

function pass(from: Readable, to: Writable, through: Transform | undefined): void {
  through?.on('error', () => undefined);
  if (through) from.pipe(through).pipe(to);
  else from.pipe(to);
}

type BodyChange = (chunk: Buffer, at: number, push: (bytes: Buffer) => void, done: () => void) => void;

function bodyFault(fault: HttpFault | undefined, side: Side, cut: () => void): Transform | undefined {
  const change = fault && bodyChange(fault, side, cut);
  if (!change) return undefined;
  let at = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const from = at;
      at += chunk.length;
      change(chunk, from, (bytes) => this.push(bytes), done);
    },
  });
}

function bodyChange(fault: HttpFault, side: Side, cut: () => void): BodyChange | undefined {
  if (fault.kind === 'slow') return (chunk, _at, push, done) => void setTimeout(() => (push(chunk), done()), (1000 * chunk.length) / fault.bytesPerSecond);
  if (!('side' in fault) || fault.side !== side) return undefined;
  if (fault.kind === 'flip') {
    return (chunk, at, push, done) => {
      const changed = Buffer.from(chunk);
      if (fault.atByte >= at && fault.atByte < at + chunk.length) changed[fault.atByte - at]! ^= 1;
      push(changed);
      done();
    };
  }
  return (chunk, at, push, done) => {
    if (at + chunk.length < fault.afterBytes) return void (push(chunk), done());
    push(chunk.subarray(0, Math.max(0, fault.afterBytes - at)));
    // What was pushed leaves first; a stalled body stays open and is never asked for more.
    if (fault.kind === 'cut') setImmediate(cut);
  };
}
