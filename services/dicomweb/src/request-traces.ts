// The traces of requests: hooks of the server that exist only while telemetry is on. A caller who sends `traceparent` decides whether his
// request is recorded; otherwise uploads are, and of requests that read a share. Paths hold UIDs: only the route is told.
import { TransferTrace } from '@perennia/ingest-pipeline';
import { parseTraceparent, type TraceFields, type Tracing } from '@perennia/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const SERVER_ERROR = 500;

export class RequestTraces {
  private readonly traces = new WeakMap<FastifyRequest, TransferTrace>();

  constructor(private readonly tracing: Tracing) {}

  register(app: FastifyInstance): void {
    if (!this.tracing.enabled) return;
    app.addHook('onRequest', async (request) => this.begin(request));
    app.addHook('onRequestAbort', async (request) => this.end(request, 'ABORTED'));
    app.addHook('onResponse', async (request, reply) => {
      this.traces.get(request)?.span.set({ 'http.response.status_code': reply.statusCode });
      this.end(request, reply.statusCode >= SERVER_ERROR ? String(reply.statusCode) : undefined);
    });
  }

  of(request: FastifyRequest): TransferTrace | undefined {
    return this.traces.get(request);
  }

  /** Of the log line that tells something about the request. */
  fieldsOf(request: FastifyRequest): TraceFields | undefined {
    return this.traces.get(request)?.span.logFields;
  }

  private begin(request: FastifyRequest): void {
    const caller = parseTraceparent(headerOf(request));
    const isRecorded = caller ? caller.sampled : request.method === 'POST' || this.tracing.sample();
    if (!isRecorded) return;
    const { url: route } = request.routeOptions;
    const span = this.tracing.begin(`${request.method} ${route ?? 'none'}`, {
      kind: 'server', parent: caller && headerOf(request),
      attributes: {
        'http.request.method': request.method, 'http.route': route ?? 'none', 'url.scheme': request.protocol, 'network.protocol.version': request.raw.httpVersion,
        'network.peer.address': request.raw.socket.remoteAddress ?? '',
      },
    });
    this.traces.set(request, new TransferTrace(this.tracing, span, caller !== undefined));
  }

  private end(request: FastifyRequest, reason: string | undefined): void {
    this.traces.get(request)?.end(reason);
  }
}

const headerOf = (request: FastifyRequest): string | undefined => request.headers['traceparent'] as string | undefined;
