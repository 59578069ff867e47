// WADO-RS metadata of studies, series and instances (PS3.18 §10.4.1.1.2).
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { InstanceDirectory, SeriesMetadata, type StoredSeries } from '@perennia/egress';
import { NotFoundError } from '@perennia/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BaseUrl } from './base-url.js';
import type { DicomwebConfig } from './dicomweb.config.js';
import { answeredNotModified, entityTag } from './entity-tag.js';
import { acceptsGzip, sendJson, streamJson } from './json-answer.js';
import { acceptRanges, datasetMediaType, uidsOf } from './request-facts.js';
import { streamXml, XML_FORM } from './xml-answer.js';

const unpack = promisify(gunzip);

export class MetadataController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly directory: InstanceDirectory,
    private readonly metadata: SeriesMetadata,
    private readonly baseUrl: BaseUrl,
  ) {}

  register(app: FastifyInstance): void {
    app.get('/studies/:study/metadata', (request, reply) => this.ofSeries(request, reply));
    app.get('/studies/:study/series/:series/metadata', (request, reply) => this.ofSeries(request, reply));
    app.get('/studies/:study/series/:series/instances/:instance/metadata', (request, reply) => this.ofInstance(request, reply));
  }

  private async ofSeries(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { study, series } = uidsOf(request);
    const mediaType = datasetMediaType(acceptRanges(request));
    const { tenantId } = this.config;
    const found = await this.directory.series({ tenantId, studyInstanceUid: study, ...(series ? { seriesInstanceUid: series } : {}) });
    if (found.length === 0) throw new NotFoundError('The archive has no such study or series.');
    const base = this.baseUrl.of(request.raw);
    const etag = entityTag(mediaType, base, ...found.flatMap(({ id, version }) => [id, version]));
    if (answeredNotModified(request, reply, etag)) return;
    if (mediaType === XML_FORM.mediaType) return streamXml(reply, { etag }, this.texts(found, base));
    const prebuilt = series === undefined ? null : await this.metadata.prebuilt(found[0]!, base);
    if (!prebuilt) return streamJson(request, reply, { 'content-type': mediaType, etag }, this.array(found, base));
    void reply.header('content-type', mediaType).header('etag', etag).header('vary', 'accept-encoding');
    const packed = Buffer.concat(prebuilt);
    if (acceptsGzip(request)) await reply.header('content-encoding', 'gzip').send(packed);
    else await reply.send(await unpack(packed));
  }

  private async *array(series: readonly StoredSeries[], base: string): AsyncGenerator<string> {
    let opening = '[';
    for await (const text of this.texts(series, base)) {
      yield opening + text;
      opening = '';
    }
    yield opening === '[' ? '[]' : ']';
  }

  /** Objects of all series, separated by commas across texts. */
  private async *texts(series: readonly StoredSeries[], base: string): AsyncGenerator<string> {
    let isFirst = true;
    for (const each of series) {
      let opening = isFirst ? '' : ',';
      for await (const text of this.metadata.inner(this.config.tenantId, each, base)) {
        yield opening + text;
        opening = '';
        isFirst = false;
      }
    }
  }

  private async ofInstance(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { study, series, instance } = uidsOf(request);
    const mediaType = datasetMediaType(acceptRanges(request));
    const selection = { tenantId: this.config.tenantId, studyInstanceUid: study, seriesInstanceUid: series!, sopInstanceUid: instance! };
    const found = await this.directory.instances(selection, 'listed');
    if (found.length === 0) throw new NotFoundError('The archive has no such instance.');
    const base = this.baseUrl.of(request.raw);
    const etag = entityTag(mediaType, base, found[0]!.id);
    if (answeredNotModified(request, reply, etag)) return;
    if (mediaType === XML_FORM.mediaType) return streamXml(reply, { etag }, this.metadata.rendered(found.slice(0, 1), base));
    void reply.header('etag', etag);
    for await (const text of this.metadata.rendered(found.slice(0, 1), base)) await sendJson(request, reply, mediaType, `[${text}]`);
  }
}
