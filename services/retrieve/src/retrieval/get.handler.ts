// C-GET: what the identifier names, over the association of the request (PS3.4 §C.4.3).
import { AssociationError, GET_SOP_CLASSES, type GetRequest, type RetrieveOutcome, type RetrieveService, type SubOperations } from '@perennia/dicom-net';
import type { Decoding, FedObject, InstanceDirectory, ObjectFeed } from '@perennia/egress';
import type { SenderSession } from '@perennia/ingest-pipeline/dimse';
import { readIdentifier } from '../read-identifier.js';
import { asked } from './asked.js';
import { chooseSyntax } from './choose-syntax.js';
import { follow } from './follow.js';
import { retrievalQueryOf } from './retrieval-query.js';
import { selectInstances } from './select-instances.js';
import { Tally } from './tally.js';

export interface GetHandlerParts {
  directory: InstanceDirectory;
  feed: ObjectFeed;
  decoding: Decoding;
  sent: () => void;
}

/** Requests under way at once: while one is answered the next is on its way. */
const AT_ONCE = 2;

export class GetHandler implements RetrieveService<GetRequest> {
  readonly sopClassUids = GET_SOP_CLASSES;

  constructor(private readonly parts: GetHandlerParts) {}

  async *retrieve(request: GetRequest, identifier: Buffer): AsyncGenerator<SubOperations, RetrieveOutcome> {
    const { profile } = request.session as SenderSession;
    const query = retrievalQueryOf(request.sopClassUid, readIdentifier(identifier, request.transferSyntaxUid, profile.characterSet));
    const instances = await asked(() => selectInstances(this.parts.directory, profile.tenantId, query));
    const tally = new Tally(instances.length);
    const objects = this.parts.feed.objects(instances, this.parts.decoding.of(profile.tenantId));
    // What was read ahead and is not sent any more is let go.
    const work = Promise.all(Array.from({ length: AT_ONCE }, () => this.send(request, objects, tally))).finally(() => objects.return());
    return yield* follow(tally, work);
  }

  private async send(request: GetRequest, objects: AsyncGenerator<FedObject>, tally: Tally): Promise<void> {
    for (let next = await objects.next(); !next.done && !request.signal.aborted; next = await objects.next()) await this.sendOne(request, next.value, tally);
  }

  private async sendOne(request: GetRequest, { instance, failure, dataset, release }: FedObject, tally: Tally): Promise<void> {
    const { sopClassUid, sopInstanceUid } = instance;
    if (failure !== undefined) return tally.failedFor(sopInstanceUid, 'its bytes cannot be read now');
    const contexts = request.storageContexts.filter(({ abstractSyntax }) => abstractSyntax === sopClassUid);
    if (contexts.length === 0) return tally.failedFor(sopInstanceUid, 'its SOP class was not negotiated');
    const transferSyntaxUid = chooseSyntax(instance, (each) => contexts.some(({ transferSyntax }) => transferSyntax === each), this.parts.decoding.decodes);
    if (transferSyntaxUid === undefined) return tally.failedFor(sopInstanceUid, 'its transfer syntax was not negotiated');
    try {
      const { status } = await request.store({ sopClassUid, sopInstanceUid, transferSyntaxUid, dataset: dataset(transferSyntaxUid) });
      release();
      this.parts.sent();
      tally.answered(sopInstanceUid, status);
    } catch (error) {
      if (request.signal.aborted) return;
      if (error instanceof AssociationError) throw error;
      tally.failedFor(sopInstanceUid, 'it cannot be read or decoded');
    }
  }
}
