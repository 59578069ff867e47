// WADO-URI (PS3.18 §9): one instance as application/dicom, by query parameters, streamed as WADO-RS does.
import { InstanceDirectory } from '@perennia/egress';
import { NotFoundError } from '@perennia/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { chooseRepresentation } from './choose-representation.js';
import type { DicomwebConfig } from './dicomweb.config.js';
import { answeredNotModified, entityTag } from './entity-tag.js';
import type { Part10Answers } from './part10-answers.js';
import { rawQuery } from './request-facts.js';
import { parseWadoUri } from './wado-uri-request.js';

export class WadoUriController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly directory: InstanceDirectory,
    private readonly answers: Part10Answers,
    private readonly decodes: (transferSyntaxUid: string) => boolean,
  ) {}

  register(app: FastifyInstance): void {
    app.get('/wado', (request, reply) => this.answer(request, reply));
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { ranges, ...uids } = parseWadoUri(rawQuery(request), request.headers.accept);
    const instances = await this.directory.instances({ tenantId: this.config.tenantId, ...uids }, 'stored');
    if (instances.length === 0) throw new NotFoundError('The archive has no such instance.');
    const { given, asStored } = chooseRepresentation(ranges, instances, [{ mediaType: 'application/dicom' }], this.decodes);
    const etag = entityTag(instances[0]!.id, given[0]!.transferSyntaxUid);
    if (answeredNotModified(request, reply, etag)) return;
    await this.answers.single(reply, { given, asStored, etag });
  }
}
