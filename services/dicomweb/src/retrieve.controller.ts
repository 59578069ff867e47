// WADO-RS retrieval of studies, series and instances as application/dicom (PS3.18 §10.4.1.1.1), as they are stored: no
// transcoding, so another transfer syntax than the stored one is 406.
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { DicomWebError, instancePath, MultipartWriter, negotiate, type AcceptRange } from '@perennia/dicom-web';
import { InstanceDirectory, RetrieveInstances, type StoredInstance } from '@perennia/egress';
import { NotFoundError } from '@perennia/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BaseUrl } from './base-url.js';
import type { DicomwebConfig } from './dicomweb.config.js';
import { answeredNotModified, entityTag } from './entity-tag.js';
import { acceptRanges, uidsOf } from './request-facts.js';
import { streamAnswer } from './stream-answer.js';

export class RetrieveController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly directory: InstanceDirectory,
    private readonly retrieve: RetrieveInstances,
    private readonly baseUrl: BaseUrl,
  ) {}

  register(app: FastifyInstance): void {
    for (const path of ['/studies/:study', '/studies/:study/series/:series', '/studies/:study/series/:series/instances/:instance']) {
      app.get(path, (request, reply) => this.answer(request, reply));
    }
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { study, series, instance } = uidsOf(request);
    const ranges = acceptRanges(request);
    const selection = { tenantId: this.config.tenantId, studyInstanceUid: study, ...(series ? { seriesInstanceUid: series } : {}), ...(instance ? { sopInstanceUid: instance } : {}) };
    const instances = await this.directory.instances(selection, 'stored');
    if (instances.length === 0) throw new NotFoundError('The archive has no such instances.');
    const mediaType = chooseMediaType(ranges, instances, instance !== undefined);
    const tag = entityTag(mediaType, ...instances.map(({ id }) => id));
    if (answeredNotModified(request, reply, tag)) return;
    if (mediaType === 'application/dicom') await this.single(reply, instances[0]!, tag);
    else await this.multipart(request, reply, instances, tag);
  }

  private single(reply: FastifyReply, instance: StoredInstance, etag: string): Promise<void> {
    const headers = {
      'content-type': `application/dicom; transfer-syntax=${instance.transferSyntaxUid}`,
      'content-length': instance.objectLength,
      'content-disposition': `attachment; filename="${instance.sopInstanceUid}.dcm"`,
      etag,
    };
    return streamAnswer(reply, { headers }, (sink) => this.write(new MultipartWriter(sink, ''), sink, [instance], null));
  }

  private multipart(request: FastifyRequest, reply: FastifyReply, instances: readonly StoredInstance[], etag: string): Promise<void> {
    const boundary = randomBytes(18).toString('hex');
    const base = this.baseUrl.of(request.raw);
    const headersOf = (each: StoredInstance): string[] => [
      `Content-Type: application/dicom; transfer-syntax=${each.transferSyntaxUid}`,
      `Content-Location: ${base}${instancePath(each.studyInstanceUid, each.seriesInstanceUid, each.sopInstanceUid)}`,
    ];
    const framing = MultipartWriter.framingBytes(boundary, instances.map((each) => ({ headers: headersOf(each) })));
    const headers = {
      'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
      'content-length': instances.reduce((sum, { objectLength }) => sum + objectLength, framing),
      etag,
    };
    return streamAnswer(reply, { headers }, (sink) => this.write(new MultipartWriter(sink, boundary), sink, instances, headersOf));
  }

  /** Everything that one read brought goes out as one write. */
  private async write(writer: MultipartWriter, sink: ServerResponse, instances: readonly StoredInstance[], headersOf: ((instance: StoredInstance) => string[]) | null): Promise<void> {
    for await (const pieces of this.retrieve.pieces(instances)) {
      const buffers: Buffer[] = [];
      for (const { instance, offset, bytes } of pieces) {
        if (offset === 0 && headersOf) buffers.push(writer.beginPart({ headers: headersOf(instance) }));
        buffers.push(bytes);
      }
      await writer.write(buffers);
    }
    if (headersOf) writer.end();
    else sink.end();
  }
}

/** @throws DicomWebError when the client takes none of the stored syntaxes */
function chooseMediaType(ranges: readonly AcceptRange[], instances: readonly StoredInstance[], isSingle: boolean): string {
  const syntaxes = [...new Set(instances.map(({ transferSyntaxUid }) => transferSyntaxUid))];
  const multipart = syntaxes.every((transferSyntax) => negotiate(ranges, [{ mediaType: 'multipart/related', partType: 'application/dicom', transferSyntax }]) !== null);
  const offers = [
    ...(multipart ? [{ mediaType: 'multipart/related', partType: 'application/dicom', transferSyntax: syntaxes[0]! }] : []),
    ...(isSingle ? [{ mediaType: 'application/dicom', transferSyntax: syntaxes[0]! }] : []),
  ];
  const chosen = negotiate(ranges, offers);
  if (chosen) return chosen.mediaType;
  const only = isSingle ? 'multipart/related; type="application/dicom" or application/dicom' : 'multipart/related; type="application/dicom"';
  throw new DicomWebError('unacceptable', `Instances are given as they are stored (${syntaxes.slice(0, 3).join(', ')}): accept ${only} with transfer-syntax=*`);
}
