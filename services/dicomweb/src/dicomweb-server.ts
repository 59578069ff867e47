// The HTTP server of DICOMweb: Fastify with the limits of every request, one place for errors, and the controllers' routes.
import cors from '@fastify/cors';
import { PROBLEM_MEDIA_TYPE } from '@perennia/dicom-web';
import { UnavailableError } from '@perennia/errors';
import type { AppLogger, Clock, Metrics } from '@perennia/telemetry';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { DicomwebConfig } from './dicomweb.config.js';
import { toProblem } from './problem-details-map.js';
import { RequestRefusedError } from './request-refused-error.js';
import type { RequestTraces } from './request-traces.js';

const MAX_HEADER_BYTES = 16 * 1024;
const LATENCY_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60];

export interface RouteSource {
  register(app: FastifyInstance): void;
}
export interface DicomwebServerParts {
  config: DicomwebConfig;
  controllers: readonly RouteSource[];
  logger: AppLogger;
  metrics: Metrics;
  clock: Clock;
  traces: RequestTraces;
}

export class DicomwebServer {
  private readonly app: FastifyInstance;

  constructor(private readonly parts: DicomwebServerParts) {
    const { config } = parts;
    this.app = fastify({
      logger: false,
      exposeHeadRoutes: false,
      // Frame lists are long; UIDs are checked by their own rule.
      routerOptions: { maxParamLength: 8192 },
      forceCloseConnections: 'idle',
      // An upload of a large study takes as long as it takes; what may not be slow has its own limit (body-chunks.ts).
      requestTimeout: 0,
      http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: config.headersTimeout, connectionsCheckingInterval: Math.min(1000, config.headersTimeout), noDelay: true },
      frameworkErrors: (error, request, reply) => this.fail(error, request, reply as FastifyReply),
    });
    // Silence on a connection, whoever should speak: uploads are cut earlier by their own limit.
    this.app.server.timeout = config.writeIdleTimeout;
    this.app.server.on('timeout', (socket: { destroy(): void }) => socket.destroy());
  }

  /** The port it listens on; of use when the configuration says 0. */
  get port(): number {
    return (this.app.server.address() as { port: number }).port;
  }

  async start(): Promise<void> {
    const { config, controllers, logger } = this.parts;
    const { app } = this;
    if (config.corsOrigins.length > 0) {
      const origin = config.corsOrigins.includes('*') ? '*' : [...config.corsOrigins];
      await app.register(cors, { origin, methods: ['GET', 'POST'], exposedHeaders: ['link', 'warning', 'etag', 'content-location', 'content-range'], maxAge: 600 });
    }
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('multipart/related', (_request, _body, done) => done(null));
    app.addContentTypeParser('*', (_request, _body, done) => done(new RequestRefusedError(415, 'UNSUPPORTED_MEDIA_TYPE', 'Bodies of this type are not taken here.')));
    this.parts.traces.register(app);
    app.addHook('onRequest', async (request, reply) => {
      void reply.header('x-content-type-options', 'nosniff');
      const coding = request.headers['content-encoding'];
      if (coding !== undefined && coding !== 'identity') throw new RequestRefusedError(415, 'UNSUPPORTED_CONTENT_CODING', 'Send the body without Content-Encoding.');
    });
    this.measure();
    app.setErrorHandler((error, request, reply) => this.fail(error, request, reply));
    app.setNotFoundHandler((request, reply) => this.fail(new RequestRefusedError(404, 'NO_SUCH_RESOURCE', 'There is no such resource with this method.'), request, reply));
    await app.register(async (scope) => controllers.forEach((controller) => controller.register(scope)), { prefix: config.pathPrefix });
    try {
      await app.listen({ host: config.host, port: config.port });
    } catch (error) {
      throw new UnavailableError(`The DICOMweb server cannot listen on ${config.host} port ${config.port} (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`, {
        cause: error,
        remedy: 'Stop the other program, or set dicomweb.port (VNA_DICOMWEB_PORT).',
      });
    }
    logger.info({ host: config.host, port: this.port }, 'DICOMweb server listens');
  }

  /** Requests in flight are answered first. */
  stop(): Promise<void> {
    return this.app.close();
  }

  private measure(): void {
    const { metrics } = this.parts;
    const seconds = metrics.histogram('vna_dicomweb_request_seconds', 'Time to answer a DICOMweb request, by route and status', LATENCY_BUCKETS_S, ['method', 'route', 'status']);
    this.app.addHook('onResponse', async (request, reply) => {
      seconds.observe({ method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    });
  }

  private fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = toProblem(error);
    if (problem.status >= 500) this.parts.logger.error({ err: error, route: request.routeOptions.url, status: problem.status, ...this.parts.traces.fieldsOf(request) }, 'A DICOMweb request failed');
    if (reply.sent) return;
    // What remains of an upload is not worth reading, and would otherwise be taken for the next request.
    if (request.method === 'POST' && !request.raw.complete) void reply.header('connection', 'close');
    if (problem.status === 503 || problem.status === 507) void reply.header('retry-after', '5');
    void reply.code(problem.status).header('content-type', PROBLEM_MEDIA_TYPE).send(Buffer.from(JSON.stringify(problem)));
  }
}
