// WADO-RS bulk data (PS3.18 §10.4.1.1.5) with byte ranges. Encapsulated pixel data come as their frames where these can be
// told apart, else as one stream.
import { randomBytes } from 'node:crypto';
import { DicomWebError, MultipartWriter, negotiate, parseBulkDataElements, parseByteRange } from '@perennia/dicom-web';
import { InstanceDirectory, ReadBulkData, ReadFrames, type BulkData, type FramedInstance } from '@perennia/egress';
import { NotFoundError } from '@perennia/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DicomwebConfig } from './dicomweb.config.js';
import { answeredNotModified, entityTag } from './entity-tag.js';
import { chooseFrameType } from './frames.controller.js';
import { RequestRefusedError } from './request-refused-error.js';
import { acceptRanges, uidsOf } from './request-facts.js';
import { pour, streamAnswer } from './stream-answer.js';

const OCTETS = 'application/octet-stream';
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

export class BulkDataController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly directory: InstanceDirectory,
    private readonly readBulkData: ReadBulkData,
    private readonly readFrames: ReadFrames,
  ) {}

  register(app: FastifyInstance): void {
    app.get('/studies/:study/series/:series/instances/:instance/bulkdata/*', (request, reply) => this.answer(request, reply));
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { study, series, instance } = uidsOf(request);
    const elements = parseBulkDataElements((request.params as { '*': string })['*']);
    if (!elements) throw new DicomWebError('syntax', 'The path after bulkdata is no list of tags and item numbers');
    const found = await this.directory.framed({ tenantId: this.config.tenantId, studyInstanceUid: study, seriesInstanceUid: series!, sopInstanceUid: instance! });
    if (!found) throw new NotFoundError('The archive has no such instance.');
    const etag = entityTag(found.id, ...elements, request.headers.accept ?? '');
    if (answeredNotModified(request, reply, etag)) return;
    const { frameIndex } = found;
    const hasFrames = elements.join() === '7FE00010' && frameIndex.kind === 'encapsulated' && (frameIndex.source !== 'single' || frameIndex.frames === 1);
    if (hasFrames && request.headers.range === undefined) return this.frames(request, reply, found, frameIndex.frames, etag);
    return this.value(request, reply, await this.readBulkData.open(found, elements), found, etag);
  }

  private async frames(request: FastifyRequest, reply: FastifyReply, instance: FramedInstance, count: number, etag: string): Promise<void> {
    const { frameType } = chooseFrameType(acceptRanges(request), instance.transferSyntaxUid, false);
    const boundary = randomBytes(18).toString('hex');
    const part = { headers: [`Content-Type: ${frameType}; transfer-syntax=${instance.transferSyntaxUid}`] };
    const frames = await this.readFrames.frames(instance, Array.from({ length: count }, (_, index) => index + 1));
    await streamAnswer(reply, { headers: { 'content-type': `multipart/related; type="${frameType}"; boundary=${boundary}`, etag } }, async (sink) => {
      const writer = new MultipartWriter(sink, boundary);
      for await (const frame of frames) await writer.write([writer.beginPart(part), ...frame]);
      writer.end();
    });
  }

  private async value(request: FastifyRequest, reply: FastifyReply, value: BulkData, instance: FramedInstance, etag: string): Promise<void> {
    const transferSyntax = value.isEncapsulated ? instance.transferSyntaxUid : EXPLICIT_LITTLE_ENDIAN;
    const type = value.isEncapsulated ? `${OCTETS}; transfer-syntax=${transferSyntax}` : OCTETS;
    const range = parseByteRange(request.headers.range, value.length);
    if (range === 'unsatisfiable') {
      void reply.header('content-range', `bytes */${value.length}`);
      throw new RequestRefusedError(416, 'RANGE_NOT_SATISFIABLE', `The value has ${value.length} bytes.`);
    }
    const shared = { etag, 'accept-ranges': 'bytes' };
    if (range) {
      const headers = { ...shared, 'content-type': type, 'content-length': range.length, 'content-range': `bytes ${range.offset}-${range.offset + range.length - 1}/${value.length}` };
      return streamAnswer(reply, { status: 206, headers }, (sink) => pour(sink, value.read(range.offset, range.length)));
    }
    const offers = [
      { mediaType: 'multipart/related', partType: OCTETS, transferSyntax },
      { mediaType: OCTETS, transferSyntax },
    ];
    const chosen = negotiate(acceptRanges(request), offers);
    if (!chosen) throw new DicomWebError('unacceptable', `Bulk data are given as ${OCTETS}, by themselves or in multipart/related`);
    if (chosen.mediaType === OCTETS) {
      return streamAnswer(reply, { headers: { ...shared, 'content-type': type, 'content-length': value.length } }, (sink) => pour(sink, value.read(0, value.length)));
    }
    const boundary = randomBytes(18).toString('hex');
    const part = { headers: [`Content-Type: ${type}`] };
    const headers = { ...shared, 'content-type': `multipart/related; type="${OCTETS}"; boundary=${boundary}`, 'content-length': MultipartWriter.framingBytes(boundary, [part]) + value.length };
    return streamAnswer(reply, { headers }, async (sink) => {
      const writer = new MultipartWriter(sink, boundary);
      await writer.write([writer.beginPart(part)]);
      for await (const chunk of value.read(0, value.length)) await writer.write([chunk]);
      writer.end();
    });
  }
}
