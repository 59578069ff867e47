// The DICOM listener: knows who may associate, what for, and says in the log how each association ended.
import { ConfigurationError } from '@perennia/errors';
import {
  DicomAcceptor, DimseStatus, Rejection, type AcceptorEvent, type AssociationDecision, type AssociationRejection, type AssociationRequest,
  type PeerAddress, type StoreService,
} from '@perennia/dicom-net';
import { faultPoint } from '@perennia/fault-points';
import type { SourceProfiles } from '@perennia/ingest-pipeline';
import type { Logger } from '@perennia/telemetry';
import type { AssociationTraces } from './association-traces.js';
import type { IngestConfig } from './ingest.config.js';
import type { IngestMetrics } from './ingest-metrics.js';
import { senderSession } from './sender-session.js';
import { acceptContext } from './storage-contexts.js';

const rejections: Record<'address' | 'calledAet' | 'callingAet', AssociationRejection> = {
  address: Rejection.callingAetNotRecognized,
  calledAet: Rejection.calledAetNotRecognized,
  callingAet: Rejection.callingAetNotRecognized,
};

export class DimseListener {
  private readonly acceptor: DicomAcceptor;
  private port = 0;

  constructor(
    private readonly config: IngestConfig,
    private readonly sources: SourceProfiles,
    private readonly metrics: IngestMetrics,
    private readonly logger: Logger,
    private readonly traces: AssociationTraces,
    store: StoreService,
  ) {
    this.acceptor = new DicomAcceptor({
      limits: {
        maxAssociations: config.maxAssociations,
        maxAssociationsPerCallingAet: config.maxAssociationsPerAet,
        maxPduBytes: config.maxPdu,
        idleMs: config.idleTimeout,
      },
      authorize: (request, peer, associationId) => this.authorize(request, peer, associationId),
      services: { echo: () => DimseStatus.success, store },
      onEvent: (event) => this.report(event),
    });
  }

  /** The port that is listened on; 0 before `start`. */
  get boundPort(): number {
    return this.port;
  }

  /** @throws ConfigurationError when the port cannot be had */
  async start(): Promise<void> {
    const { host, port } = this.config;
    try {
      ({ port: this.port } = await this.acceptor.listen({ host, port }));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const remedy = 'Stop the other program, or choose another port with VNA_INGEST_PORT.';
      if (code === 'EADDRINUSE') throw new ConfigurationError(`Port ${port} on ${host} is in use, so the DICOM listener cannot start.`, { cause: error, remedy });
      throw new ConfigurationError(`The DICOM listener cannot listen on ${host}:${port} (${code}).`, { cause: error, remedy: 'Check VNA_INGEST_HOST and VNA_INGEST_PORT.' });
    }
    this.logger.info({ host, port: this.port, aeTitle: this.config.aeTitle }, 'DICOM listener is ready');
  }

  stop(): Promise<void> {
    return this.acceptor.close({ graceMs: this.config.shutdownGrace });
  }

  private authorize(request: AssociationRequest, peer: PeerAddress, associationId: number): AssociationDecision {
    faultPoint('K0');
    const { callingAet, calledAet } = request;
    const profile = this.sources.match({ callingAet, calledAet, address: peer.address });
    if (typeof profile === 'string') return { accept: false, ...rejections[profile] };
    if (profile.calledAets.length === 0 && calledAet !== this.config.aeTitle) return { accept: false, ...Rejection.calledAetNotRecognized };
    faultPoint('K1');
    return { accept: true, acceptContext, session: senderSession(profile, this.traces.begin(request, peer, associationId)) };
  }

  private report(event: AcceptorEvent): void {
    this.metrics.associations.inc({ outcome: event.type });
    const fields = this.traces.take(event);
    if (event.type === 'failure') {
      this.logger.error({ err: event.error, associationId: event.associationId, ...fields }, 'association: a defect of ours');
      return;
    }
    const { peer, ...facts } = event;
    const level = event.type === 'accepted' || event.type === 'released' ? 'info' : 'warn';
    this.logger[level]({ ...facts, peer: peer.address, ...fields }, `association ${event.type}`);
  }
}
