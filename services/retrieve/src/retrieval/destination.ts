// Sends objects to a remote node over several associations at once (PS3.4 §C.4.2.2). An association that breaks is opened again, and the object
// that was under way is tried once more: a peer that gives up in the middle, or that does not know one SOP class, costs itself only.
import { AssociationError, DicomRequestor, type RequestedContext, type RequestorAssociation } from '@perennia/dicom-net';
import type { Decoding, FedObject, ObjectFeed, StoredInstance } from '@perennia/egress';
import { openNodeTransport, type RemoteNode } from '@perennia/remote-nodes';
import type { Clock, Logger } from '@perennia/telemetry';
import { chooseSyntax, proposalsFor } from './choose-syntax.js';
import type { Tally } from './tally.js';

/** Of one association (PS3.8 §9.3.2.2: odd numbers up to 255). */
const MAX_CONTEXTS = 128;
/** Before each further attempt to open an association. */
const PAUSES_MS = [250, 1000, 3000];
/** Associations that broke one after the other without an object in between. */
const MAX_BREAKS = 4;
const MAX_TRIES = 2;

export interface DestinationParts {
  node: RemoteNode;
  /** Ours. */
  callingAet: string;
  originator: { aet: string; messageId: number };
  tenantId: string;
  feed: ObjectFeed;
  decoding: Decoding;
  clock: Clock;
  logger: Logger;
  tally: Tally;
  signal: AbortSignal;
  sent: () => void;
}

export class Destination {
  private isGivenUp = false;

  constructor(private readonly parts: DestinationParts) {}

  /** Resolves when every instance is counted, or the signal is aborted. */
  async send(instances: readonly StoredInstance[]): Promise<void> {
    for (const batch of proposalsFor(instances, MAX_CONTEXTS, this.parts.decoding.decodes)) {
      const objects = new Waiting(this.parts.feed.objects(batch.instances, this.parts.decoding.of(this.parts.tenantId)));
      const associations = Math.min(this.parts.node.maxAssociations, batch.instances.length);
      await Promise.all(Array.from({ length: associations }, () => new Sender(this.parts, batch.contexts, objects, this).run())).finally(() => objects.close());
    }
  }

  /** Nobody answers there: what is left is not tried any more. */
  giveUp(): void {
    this.isGivenUp = true;
  }
  get wasGivenUp(): boolean {
    return this.isGivenUp;
  }
}

/** Objects that are not sent yet; one that was under way when its association broke comes back. */
class Waiting {
  private readonly returned: FedObject[] = [];
  private readonly tries = new Map<string, number>();

  constructor(private readonly objects: AsyncGenerator<FedObject, void, void>) {}

  async next(): Promise<FedObject | undefined> {
    const again = this.returned.pop();
    if (again) return again;
    const next = await this.objects.next();
    return next.done ? undefined : next.value;
  }

  /** What was read ahead and is not sent any more is let go. */
  async close(): Promise<void> {
    await this.objects.return();
  }

  /** @returns false when it was tried often enough */
  putBack(object: FedObject): boolean {
    const { sopInstanceUid } = object.instance;
    const tries = (this.tries.get(sopInstanceUid) ?? 1) + 1;
    this.tries.set(sopInstanceUid, tries);
    if (tries > MAX_TRIES) return false;
    this.returned.push(object);
    return true;
  }
}

/** One association after the other. */
class Sender {
  private association: RequestorAssociation | undefined;
  private breaks = 0;

  constructor(
    private readonly parts: DestinationParts,
    private readonly contexts: readonly RequestedContext[],
    private readonly waiting: Waiting,
    private readonly destination: Destination,
  ) {}

  async run(): Promise<void> {
    const { signal } = this.parts;
    for (let object = await this.waiting.next(); object && !signal.aborted; object = await this.waiting.next()) await this.take(object);
    await this.association?.release().catch(() => undefined);
  }

  private async take(object: FedObject): Promise<void> {
    const { tally } = this.parts;
    const { sopInstanceUid } = object.instance;
    if (object.failure !== undefined) return tally.failedFor(sopInstanceUid, 'its bytes cannot be read now');
    const association = await this.open();
    if (!association) return this.parts.signal.aborted ? undefined : tally.failedFor(sopInstanceUid, 'the destination does not answer');
    const accepts = (each: string): boolean => association.contextFor(object.instance.sopClassUid, each) !== undefined;
    const transferSyntaxUid = chooseSyntax(object.instance, accepts, this.parts.decoding.decodes);
    if (transferSyntaxUid === undefined) return tally.failedFor(sopInstanceUid, 'the destination takes none of its syntaxes');
    await this.store(association, object, transferSyntaxUid);
  }

  private async store(association: RequestorAssociation, { instance, ...object }: FedObject, transferSyntaxUid: string): Promise<void> {
    const { tally, originator, sent } = this.parts;
    const { sopClassUid, sopInstanceUid } = instance;
    try {
      const { status } = await association.store({
        sopClassUid, sopInstanceUid, transferSyntaxUid, dataset: object.dataset(transferSyntaxUid), moveOriginatorAet: originator.aet, moveOriginatorMessageId: originator.messageId,
      });
      this.breaks = 0;
      object.release();
      sent();
      tally.answered(sopInstanceUid, status);
    } catch (error) {
      if (!(error instanceof AssociationError)) return tally.failedFor(sopInstanceUid, 'it cannot be read or decoded');
      this.association = undefined;
      this.breaks += 1;
      if (!this.waiting.putBack({ instance, ...object })) tally.failedFor(sopInstanceUid, 'the association broke twice');
    }
  }

  /** Undefined when nobody answers. */
  private async open(): Promise<RequestorAssociation | undefined> {
    if (this.association) return this.association;
    const { signal, clock, logger, node } = this.parts;
    for (let attempt = 0; !this.destination.wasGivenUp && !signal.aborted && this.breaks < MAX_BREAKS; attempt++) {
      try {
        return (this.association = await this.connect());
      } catch (err) {
        logger.warn({ err, node: node.aeTitle, attempt }, 'An association to a move destination could not be opened');
        const pauseMs = PAUSES_MS[attempt];
        if (pauseMs === undefined) break;
        await clock.sleep(pauseMs, signal);
      }
    }
    if (!signal.aborted) this.destination.giveUp();
    return undefined;
  }

  private connect(): Promise<RequestorAssociation> {
    const { node, callingAet, clock } = this.parts;
    return DicomRequestor.connect({
      host: node.host, port: node.port, connect: () => openNodeTransport(node, { clock }), callingAet, calledAet: node.aeTitle, contexts: this.contexts,
    });
  }
}
