// WADO-RS retrieval of studies, series and instances as application/dicom or in a ZIP (PS3.18 §10.4.1.1.1): as they are stored or, where that is asked for and
// possible, in an uncompressed transfer syntax, decoded if need be. What else is asked for is 406.
import { InstanceDirectory, type InstanceSelection } from '@perennia/egress';
import { NotFoundError } from '@perennia/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BaseUrl } from './base-url.js';
import { chooseRepresentation } from './choose-representation.js';
import type { DicomwebConfig } from './dicomweb.config.js';
import { answeredNotModified, entityTag } from './entity-tag.js';
import type { Part10Answers } from './part10-answers.js';
import { acceptRanges, uidsOf } from './request-facts.js';
import { ZIP_FORM, type ZipAnswer } from './zip-answer.js';
import { zipNames } from './zip-names.js';

const MULTIPART = { mediaType: 'multipart/related', partType: 'application/dicom' };
const SINGLE = { mediaType: 'application/dicom' };

export class RetrieveController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly directory: InstanceDirectory,
    private readonly answers: Part10Answers,
    private readonly zip: ZipAnswer,
    private readonly baseUrl: BaseUrl,
    private readonly decodes: (transferSyntaxUid: string) => boolean,
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
    const { mediaType, given, asStored } = chooseRepresentation(ranges, instances, instance === undefined ? [MULTIPART, ZIP_FORM] : [MULTIPART, SINGLE, ZIP_FORM], this.decodes);
    const etag = entityTag(mediaType, ...instances.map(({ id }) => id), ...(asStored ? [] : given.map(({ transferSyntaxUid }) => transferSyntaxUid)));
    if (answeredNotModified(request, reply, etag)) return;
    const sent = { given, asStored, etag };
    if (mediaType === ZIP_FORM.mediaType) await this.zip.send(reply, sent, await this.namesOf(selection), `${instance ?? series ?? study}.zip`);
    else if (mediaType === SINGLE.mediaType) await this.answers.single(reply, sent);
    else await this.answers.multipart(reply, sent, this.baseUrl.of(request.raw));
  }

  private async namesOf(selection: InstanceSelection): Promise<Map<string, string>> {
    const [series, listed] = await Promise.all([this.directory.series(selection), this.directory.instances(selection, 'listed')]);
    return zipNames(series, listed);
  }
}
