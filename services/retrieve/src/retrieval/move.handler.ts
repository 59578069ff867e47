// C-MOVE: what the identifier names, to a remote node that the caller may name (PS3.4 §C.4.2).
import { DimseFailure, DimseStatus, MOVE_SOP_CLASSES, type MoveRequest, type RetrieveOutcome, type RetrieveService, type SubOperations } from '@perennia/dicom-net';
import type { Decoding, InstanceDirectory, ObjectFeed } from '@perennia/egress';
import { permitsMove, type NodeDirectory, type RemoteNode } from '@perennia/remote-nodes';
import type { SenderSession } from '@perennia/ingest-pipeline/dimse';
import type { Clock, Logger } from '@perennia/telemetry';
import { readIdentifier } from '../read-identifier.js';
import { asked } from './asked.js';
import { Destination } from './destination.js';
import { follow } from './follow.js';
import { retrievalQueryOf } from './retrieval-query.js';
import { selectInstances } from './select-instances.js';
import { Tally } from './tally.js';

export interface MoveHandlerParts {
  directory: InstanceDirectory;
  feed: ObjectFeed;
  decoding: Decoding;
  nodes: NodeDirectory;
  aeTitle: string;
  clock: Clock;
  logger: Logger;
  sent: () => void;
}

export class MoveHandler implements RetrieveService<MoveRequest> {
  readonly sopClassUids = MOVE_SOP_CLASSES;

  constructor(private readonly parts: MoveHandlerParts) {}

  async *retrieve(request: MoveRequest, identifier: Buffer): AsyncGenerator<SubOperations, RetrieveOutcome> {
    const { directory, feed, decoding, aeTitle, clock, logger, sent } = this.parts;
    const { profile } = request.session as SenderSession;
    const query = retrievalQueryOf(request.sopClassUid, readIdentifier(identifier, request.transferSyntaxUid, profile.characterSet));
    const node = await this.destinationOf(request, profile.tenantId);
    const instances = await asked(() => selectInstances(directory, profile.tenantId, query));
    const tally = new Tally(instances.length);
    const originator = { aet: request.callingAet, messageId: request.messageId };
    const destination = new Destination({ node, callingAet: aeTitle, originator, tenantId: profile.tenantId, feed, decoding, clock, logger, tally, signal: request.signal, sent });
    return yield* follow(tally, destination.send(instances));
  }

  private async destinationOf({ moveDestination, callingAet }: MoveRequest, tenantId: string): Promise<RemoteNode> {
    const node = await asked(() => this.parts.nodes.find(tenantId, moveDestination));
    if (!node) throw new DimseFailure(DimseStatus.moveDestinationUnknown, 'The move destination is no remote node of this archive');
    if (!permitsMove(node, callingAet)) throw new DimseFailure(DimseStatus.notAuthorized, 'This AE title may not name that move destination');
    return node;
  }
}
