// WADO-RS frames (PS3.18 §10.4.1.1.6) as multipart/related, one part for each frame; a single frame also by itself.
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { DicomWebError, MultipartWriter, negotiate, type AcceptRange } from '@perennia/dicom-web';
import { InstanceDirectory, ReadFrames, type FramedInstance } from '@perennia/egress';
import { NotFoundError } from '@perennia/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DicomwebConfig } from './dicomweb.config.js';
import { answeredNotModified, entityTag } from './entity-tag.js';
import { frameMediaTypes, OCTET_STREAM_SYNTAXES } from './frame-media-types.js';
import { acceptRanges, uidsOf } from './request-facts.js';
import { streamAnswer } from './stream-answer.js';

const MAX_FRAMES = 1000;
const DEFAULTS = new Map([['application/octet-stream', OCTET_STREAM_SYNTAXES]]);

interface Choice {
  isMultipart: boolean;
  frameType: string;
}

export class FramesController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly directory: InstanceDirectory,
    private readonly readFrames: ReadFrames,
  ) {}

  register(app: FastifyInstance): void {
    app.get('/studies/:study/series/:series/instances/:instance/frames/:frames', (request, reply) => this.answer(request, reply));
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { study, series, instance } = uidsOf(request);
    const numbers = parseFrameList((request.params as { frames: string }).frames);
    const ranges = acceptRanges(request);
    const found = await this.directory.framed({ tenantId: this.config.tenantId, studyInstanceUid: study, seriesInstanceUid: series!, sopInstanceUid: instance! });
    if (!found) throw new NotFoundError('The archive has no such instance.');
    const choice = chooseFrameType(ranges, found.transferSyntaxUid, numbers.length === 1);
    const etag = entityTag(found.id, choice.frameType, String(choice.isMultipart), ...numbers);
    if (answeredNotModified(request, reply, etag)) return;
    const frames = await this.readFrames.frames(found, numbers);
    const first = await frames.next();
    if (first.done) throw new NotFoundError('The instance has no frames.');
    const contentType = contentTypeOf(choice.frameType, found);
    if (!choice.isMultipart) {
      await reply.header('etag', etag).header('content-type', contentType).send(first.value.length === 1 ? first.value[0] : Buffer.concat(first.value));
      return;
    }
    const boundary = randomBytes(18).toString('hex');
    const headers: Record<string, string | number> = { 'content-type': `multipart/related; type="${choice.frameType}"; boundary=${boundary}`, etag };
    const part = { headers: [`Content-Type: ${contentType}`] };
    if (numbers.length === 1) headers['content-length'] = MultipartWriter.framingBytes(boundary, [part]) + first.value.reduce((sum, { length }) => sum + length, 0);
    await streamAnswer(reply, { headers }, (sink) => writeFrames(sink, boundary, part, first.value, frames));
  }
}

async function writeFrames(sink: ServerResponse, boundary: string, part: { headers: string[] }, first: Buffer[], rest: AsyncIterable<Buffer[]>): Promise<void> {
  const writer = new MultipartWriter(sink, boundary);
  await writer.write([writer.beginPart(part), ...first]);
  for await (const frame of rest) await writer.write([writer.beginPart(part), ...frame]);
  writer.end();
}

const contentTypeOf = (frameType: string, { transferSyntaxUid }: FramedInstance): string =>
  OCTET_STREAM_SYNTAXES.includes(transferSyntaxUid) ? frameType : `${frameType}; transfer-syntax=${transferSyntaxUid}`;

function parseFrameList(text: string): number[] {
  if (!/^[1-9]\d{0,8}(,[1-9]\d{0,8})*$/.test(text)) throw new DicomWebError('syntax', 'Frames are a list of numbers from 1, separated by commas');
  const numbers = text.split(',').map(Number);
  if (numbers.length > MAX_FRAMES) throw new DicomWebError('limit', `At most ${MAX_FRAMES} frames can be asked for at once`);
  return numbers;
}

/** @throws DicomWebError when the client takes no representation that needs no decoding */
export function chooseFrameType(ranges: readonly AcceptRange[], transferSyntaxUid: string, isSingle: boolean): Choice {
  const types = frameMediaTypes(transferSyntaxUid);
  const transferSyntax = OCTET_STREAM_SYNTAXES.includes(transferSyntaxUid) ? '1.2.840.10008.1.2.1' : transferSyntaxUid;
  const offers = [
    ...types.map((frameType) => ({ mediaType: 'multipart/related', partType: frameType, transferSyntax, frameType, isMultipart: true })),
    ...(isSingle ? types.map((frameType) => ({ mediaType: frameType, transferSyntax, frameType, isMultipart: false })) : []),
  ];
  const chosen = negotiate(ranges, offers, DEFAULTS);
  if (!chosen) {
    throw new DicomWebError('unacceptable', `Frames are given as they are stored: accept multipart/related; type="${types[0]}"; transfer-syntax=${transferSyntaxUid}, or transfer-syntax=*`);
  }
  return chosen;
}
