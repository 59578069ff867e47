// STOW-RS (PS3.18 §10.5): parts of application/dicom go into the ingest pipeline as they arrive. A part that is refused does
// not fail the others; whatever is answered as stored is durable.
import type { Socket } from 'node:net';
import { HeaderMemory } from '@perennia/dicom-stream';
import { parseMultipartContentType, warningHeader } from '@perennia/dicom-web';
import { AwaitIndexed, IngestPipelineConfig, ReceiveObject, SourceProfiles, type ObjectSink, type ReceiveContext, type ReceiveOutcome, type SourceProfile } from '@perennia/ingest-pipeline';
import { AppendBatch } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BaseUrl } from './base-url.js';
import type { DicomwebConfig } from './dicomweb.config.js';
import { RequestRefusedError } from './request-refused-error.js';
import { acceptRanges, jsonMediaType, uidsOf } from './request-facts.js';
import { receiveParts } from './receive-parts.js';
import type { RequestTraces } from './request-traces.js';
import { stowReport } from './stow-report.js';
import { takeBody } from './take-body.js';

export interface StowParts {
  config: DicomwebConfig;
  pipeline: IngestPipelineConfig;
  receive: ReceiveObject;
  indexed: AwaitIndexed;
  sources: SourceProfiles;
  baseUrl: BaseUrl;
  clock: Clock;
  traces: RequestTraces;
}

/** `vna import` says so in a header, which is believed from this machine only; each of its many files is answered once it is durable. */
const LOOPBACK = /^(::ffff:)?127\.|^::1$/;
const roadOf = (request: FastifyRequest): 'stow' | 'import' =>
  request.headers['perennia-road'] === 'import' && LOOPBACK.test(request.raw.socket.remoteAddress ?? '') ? 'import' : 'stow';

export class StowController {
  private readonly memories = new WeakMap<Socket, HeaderMemory>();

  constructor(private readonly parts: StowParts) {}

  register(app: FastifyInstance): void {
    app.post('/studies', (request, reply) => this.answer(request, reply));
    app.post('/studies/:study', (request, reply) => this.answer(request, reply));
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { config, clock, receive, baseUrl, traces } = this.parts;
    const { study } = uidsOf(request);
    const mediaType = jsonMediaType(acceptRanges(request));
    const contentType = parseMultipartContentType(request.headers['content-type']);
    if (contentType?.partType !== 'application/dicom') {
      throw new RequestRefusedError(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send multipart/related; type="application/dicom".');
    }
    const profile = this.profileOf(request);
    const road = roadOf(request);
    const memory = this.memoryOf(request.raw.socket);
    const batch = new AppendBatch();
    const context: ReceiveContext = { road, profile, memory, batch, source: { peer: request.ip }, ...(study ? { expectedStudyInstanceUid: study } : {}) };
    const trace = traces.of(request);
    const begin = (): ObjectSink => (trace ? trace.begin(receive, context) : receive.begin(context));
    const outcomes = await receiveParts((take) => takeBody(request.raw, config, clock, take), contentType.boundary, begin, batch);
    const warnings = await this.acknowledge(outcomes, road);
    const report = stowReport(outcomes, baseUrl.of(request.raw));
    if (warnings.length > 0) void reply.header('warning', warningHeader(warnings));
    if (report.status === 503 || report.status === 507) void reply.header('retry-after', '5');
    await reply.code(report.status).header('content-type', mediaType).send(Buffer.from(report.body));
  }

  /** Of the connection: whoever sends a study in many requests repeats himself in each. */
  private memoryOf(socket: Socket): HeaderMemory {
    let memory = this.memories.get(socket);
    if (!memory) this.memories.set(socket, (memory = new HeaderMemory()));
    return memory;
  }

  private profileOf(request: FastifyRequest): SourceProfile {
    const profile = this.parts.sources.match({ address: request.raw.socket.remoteAddress ?? '' });
    if (typeof profile === 'string') throw new RequestRefusedError(403, 'UNKNOWN_SOURCE', 'No listed source may send from this address.');
    return profile;
  }

  /** Waits until what was stored can be found, if that is what senders are promised here. */
  private async acknowledge(outcomes: readonly ReceiveOutcome[], road: 'stow' | 'import'): Promise<string[]> {
    const { config, indexed, pipeline } = this.parts;
    const stored = outcomes.filter((outcome) => outcome.outcome === 'stored');
    const warnings = [...new Set(stored.flatMap(({ warning }) => (warning === undefined ? [] : [warning])))].slice(0, 5);
    if (road === 'stow' && config.acknowledge === 'indexed' && stored.length > 0) {
      const found = await indexed.wait(stored, pipeline.indexedTimeout);
      if (found.size < stored.length) warnings.push(`${stored.length - found.size} instances are stored safely but cannot be found yet.`);
    }
    return warnings;
  }
}
