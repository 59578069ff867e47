// A DICOM listener of the archive: knows who may associate, what for, and says in the log how each association ended.
import { ConfigurationError } from '@perennia/errors';
import {
  DicomAcceptor, isQueryRetrieveSopClass, Rejection, StorageCommitment, type AcceptorEvent, type AssociationAcceptance, type AssociationDecision, type AssociationRejection,
  type AssociationRequest, type ContextRejection, type DimseServices, type PeerAddress,
} from '@perennia/dicom-net';
import { faultPoint } from '@perennia/fault-points';
import type { SourceProfile, SourceProfiles } from '../source-profile.js';
import type { Clock, Logger } from '@perennia/telemetry';
import { NO_EXCHANGE, type AssociationExchange, type GivenAssociation } from './association-exchange.js';
import type { AssociationTraces } from './association-traces.js';
import type { ListenerMetrics } from './listener-metrics.js';
import { senderSession } from './sender-session.js';

const rejections: Record<'address' | 'calledAet' | 'callingAet', AssociationRejection> = {
  address: Rejection.callingAetNotRecognized,
  calledAet: Rejection.calledAetNotRecognized,
  callingAet: Rejection.callingAetNotRecognized,
};

/** As set in the section of the service (listener-options). Times in milliseconds. */
export interface ListenerSettings {
  host: string;
  port: number;
  aeTitle: string;
  maxAssociations: number;
  maxAssociationsPerAet: number;
  maxPdu: number;
  idleTimeout: number;
  shutdownGrace: number;
}

/** What peers may ask for. */
export interface OfferedServices extends Pick<AssociationAcceptance, 'acceptRole' | 'acceptQueryExtensions'> {
  /** As in AssociationAcceptance, for a source. */
  acceptContext(abstractSyntax: string, transferSyntaxes: readonly string[], profile: SourceProfile): string | ContextRejection;
  services: DimseServices;
}

export interface DimseListenerParts {
  settings: ListenerSettings;
  /** Prefix of the settings as variables, for remedies. */
  variables: 'VNA_INGEST' | 'VNA_RETRIEVE';
  offered: OfferedServices;
  sources: SourceProfiles;
  metrics: ListenerMetrics;
  logger: Logger;
  traces: AssociationTraces;
  clock: Clock;
  exchange?: AssociationExchange;
}

/** An association as it is shown to those who run the archive. */
export interface OpenAssociation {
  id: number;
  callingAet: string;
  calledAet: string;
  /** Address and port. */
  peer: string;
  /** ISO 8601. */
  since: string;
  /** Received and not yet answered. */
  outstandingOperations: number;
}

export class DimseListener {
  private readonly acceptor: DicomAcceptor;
  private readonly exchange: AssociationExchange;
  private port = 0;
  /** When each open association was accepted. */
  private readonly since = new Map<number, string>();

  constructor(private readonly parts: DimseListenerParts) {
    const { settings, offered } = parts;
    this.exchange = parts.exchange ?? NO_EXCHANGE;
    this.acceptor = new DicomAcceptor({
      limits: {
        maxAssociations: settings.maxAssociations,
        maxAssociationsPerCallingAet: settings.maxAssociationsPerAet,
        maxPduBytes: settings.maxPdu,
        idleMs: settings.idleTimeout,
      },
      authorize: (request, peer, associationId) => this.authorize(request, peer, associationId),
      services: offered.services,
      onEvent: (event) => this.report(event),
    });
  }

  /** The port that is listened on; 0 before `start`, and where associations come by the exchange. */
  get boundPort(): number {
    return this.port;
  }

  /** @throws ConfigurationError when the port cannot be had */
  async start(): Promise<void> {
    if (this.exchange.canTake) return this.exchange.onTaken((association) => this.take(association));
    const { settings, variables, logger } = this.parts;
    const { host, port } = settings;
    try {
      ({ port: this.port } = await this.acceptor.listen({ host, port }));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const remedy = `Stop the other program, or choose another port with ${variables}_PORT.`;
      if (code === 'EADDRINUSE') throw new ConfigurationError(`Port ${port} on ${host} is in use, so the DICOM listener cannot start.`, { cause: error, remedy });
      throw new ConfigurationError(`The DICOM listener cannot listen on ${host}:${port} (${code}).`, { cause: error, remedy: `Check ${variables}_HOST and ${variables}_PORT.` });
    }
    logger.info({ host, port: this.port, aeTitle: settings.aeTitle }, 'DICOM listener is ready');
  }

  stop(): Promise<void> {
    return this.acceptor.close({ graceMs: this.parts.settings.shutdownGrace });
  }

  associations(): OpenAssociation[] {
    return [...this.acceptor.associations].map(({ id, callingAet, calledAet, peer, outstandingOperations }) => ({
      id, callingAet, calledAet, peer: `${peer.address}:${peer.port}`, since: this.since.get(id) ?? '', outstandingOperations,
    }));
  }

  /** @returns false when there is no such association */
  abort(id: number): boolean {
    const association = [...this.acceptor.associations].find((each) => each.id === id);
    association?.abort('aborted by an administrator');
    return association !== undefined;
  }

  private take({ socket, head, peer }: GivenAssociation): void {
    this.acceptor.handleSocket(socket, peer, head);
  }

  private authorize(request: AssociationRequest, peer: PeerAddress, associationId: number): AssociationDecision {
    faultPoint('K0');
    const { settings, sources, offered, traces } = this.parts;
    const { callingAet, calledAet } = request;
    const profile = sources.match({ callingAet, calledAet, address: peer.address });
    if (typeof profile === 'string') return { accept: false, ...rejections[profile] };
    if (profile.calledAets.length === 0 && calledAet !== settings.aeTitle) return { accept: false, ...Rejection.calledAetNotRecognized };
    if (this.exchange.canGive && asksForMoreThanStorage(request, profile)) return { accept: 'elsewhere', handOver: ({ socket, head }) => this.exchange.give({ socket, head, peer }) };
    faultPoint('K1');
    const { acceptContext, acceptRole, acceptQueryExtensions } = offered;
    return {
      accept: true,
      acceptContext: (abstractSyntax, transferSyntaxes) => acceptContext(abstractSyntax, transferSyntaxes, profile),
      ...(acceptRole && { acceptRole }),
      ...(acceptQueryExtensions && { acceptQueryExtensions }),
      session: senderSession(profile, traces.begin(request, peer, associationId)),
    };
  }

  private report(event: AcceptorEvent): void {
    const { metrics, traces, logger } = this.parts;
    metrics.associations.inc({ outcome: event.type });
    const fields = traces.take(event);
    if (event.type === 'failure') {
      logger.error({ err: event.error, associationId: event.associationId, ...fields }, 'association: a defect of ours');
      return;
    }
    this.remember(event);
    const { peer, ...facts } = event;
    const level = QUIET.has(event.type) ? 'info' : 'warn';
    logger[level]({ ...facts, peer: peer.address, ...fields }, `association ${event.type}`);
  }

  private remember(event: AcceptorEvent): void {
    if (!('associationId' in event)) return;
    if (event.type === 'accepted') this.since.set(event.associationId, new Date(this.parts.clock.nowMs()).toISOString());
    else if (event.type === 'released' || event.type === 'aborted') this.since.delete(event.associationId);
  }
}

const QUIET: ReadonlySet<AcceptorEvent['type']> = new Set(['accepted', 'released', 'handed-over']);

/** And may: what it may not is refused here. */
function asksForMoreThanStorage({ presentationContexts }: AssociationRequest, { mayRead }: SourceProfile): boolean {
  return presentationContexts.some(({ abstractSyntax }) => (mayRead && isQueryRetrieveSopClass(abstractSyntax)) || abstractSyntax === StorageCommitment.sopClassUid);
}
