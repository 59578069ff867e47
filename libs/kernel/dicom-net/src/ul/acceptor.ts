// Listens for associations, asks the application about each, and serves its DIMSE requests. Limits hold for all together.
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DimseServices } from '../dimse/dimse-services.js';
import type { AcceptorEvent } from './acceptor-event.js';
import { type AcceptorLimits, DEFAULT_ACCEPTOR_LIMITS } from './acceptor-limits.js';
import { DICOM_APPLICATION_CONTEXT } from './associate-pdu.js';
import { Association, type AssociationHost } from './association.js';
import { AssociationCensus } from './association-census.js';
import type { AssociationDecision } from './association-decision.js';
import type { AssociationHandover } from './association-handover.js';
import type { AssociationRequest } from './association-request.js';
import type { AssociationView } from './association-view.js';
import { IMPLEMENTATION } from './implementation.js';
import type { Implementation } from './negotiation.js';
import type { PeerAddress } from './peer-address.js';
import { peerOfSocket } from './peer-of-socket.js';
import { type AssociationRejection, Rejection } from './reject-reason.js';
import { SystemTimerSource, type TimerHandle, type TimerSource } from './timer-source.js';
import { SharedReadSocket } from './shared-read-socket.js';
import type { Ending } from './upper-layer.js';

export interface DicomAcceptorOptions {
  /** Called AE titles served; others are rejected 1/1/7. None or empty: the decision is left to `authorize`. */
  readonly aeTitles?: readonly string[];
  readonly limits?: Partial<AcceptorLimits>;
  /** A throw is answered 2/3/1, temporary congestion: the peer may try again. `associationId` is that of the events to come. */
  authorize(request: AssociationRequest, peer: PeerAddress, associationId: number): AssociationDecision | Promise<AssociationDecision>;
  readonly services: DimseServices;
  onEvent?(event: AcceptorEvent): void;
  readonly timers?: TimerSource;
  readonly implementation?: Implementation;
}

export class DicomAcceptor {
  readonly limits: AcceptorLimits;
  readonly #options: DicomAcceptorOptions;
  readonly #timers: TimerSource;
  readonly #implementation: Implementation;
  readonly #census: AssociationCensus;
  /** Every connection, from its first moment to its last. */
  readonly #connections = new Set<Association>();
  /** Those that were counted in, between acceptance and their end. */
  readonly #associations = new Set<Association>();
  readonly #host: AssociationHost;
  /** While we are stopping: what ends those that are silent. */
  readonly #draining = new Map<Association, TimerHandle>();
  #server: Server | null = null;
  #nextId = 1;
  #onLastConnectionClosed: () => void = () => undefined;
  #closing: { everyoneLeft(): void } | null = null;

  constructor(options: DicomAcceptorOptions) {
    this.#options = options;
    this.limits = { ...DEFAULT_ACCEPTOR_LIMITS, ...options.limits };
    this.#timers = options.timers ?? new SystemTimerSource();
    this.#implementation = options.implementation ?? IMPLEMENTATION;
    this.#census = new AssociationCensus(this.limits);
    this.#host = this.#makeHost();
  }

  get associations(): Iterable<AssociationView> {
    return this.#associations;
  }

  /**
   * Takes a connected socket, plain or TLS. `peer` where the socket does not know its own remote address, `head` what was read from it before,
   * by a process that handed it over.
   */
  handleSocket(socket: Duplex, peer: PeerAddress = peerOfSocket(socket), head?: Buffer): void {
    if (this.#connections.size - this.#associations.size >= this.limits.maxPendingConnections) {
      socket.destroy();
      return this.#emit({ type: 'refused-connection', peer });
    }
    const association = new Association(this.#nextId++, peer, socket, this.limits, this.#timers, this.#options.services, this.#host);
    this.#connections.add(association);
    if (head) association.receive(head);
  }

  listen(address: { host: string; port: number }): Promise<AddressInfo> {
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.handleSocket(SharedReadSocket.of(socket)));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.port, address.host, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /**
   * New associations are rejected 2/3/1 at once. Open ones go on until they are released or fall silent; all that are left when the
   * grace ends are aborted: no acknowledged object is affected, senders repeat the rest.
   */
  async close(options: { graceMs: number }): Promise<void> {
    const everyoneLeft = new Promise<void>((resolve) => (this.#closing = { everyoneLeft: resolve }));
    for (const association of this.#associations) if (association.isIdle) this.#abortWhenSilent(association);
    if (this.#associations.size > 0) {
      const grace = this.#timers.schedule(options.graceMs, () => this.#abortAll());
      await everyoneLeft;
      grace.cancel();
    }
    await this.#dropConnections();
  }

  /** What is no association (any more) goes at once, but for those that were just told of an abort or a release. */
  async #dropConnections(): Promise<void> {
    const server = this.#server;
    const serverClosed = server ? new Promise<void>((resolve) => server.close(() => resolve())) : Promise.resolve();
    for (const connection of this.#connections) if (connection.state !== 'Sta13') connection.dropConnection();
    const linger = this.#timers.schedule(this.limits.abortLingerMs, () => {
      for (const connection of this.#connections) connection.dropConnection();
    });
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onLastConnectionClosed = resolve));
    linger.cancel();
    await serverClosed;
  }

  /** Each time that it falls silent anew: the wait before is over then. */
  #abortWhenSilent(association: Association): void {
    this.#draining.get(association)?.cancel();
    this.#draining.set(association, this.#timers.schedule(this.limits.drainIdleMs, () => {
      if (association.isIdle) association.abort('the archive is stopping');
    }));
  }

  #abortAll(): void {
    for (const association of this.#associations) association.abort('the archive is stopping');
  }

  #makeHost(): AssociationHost {
    return {
      requested: (association, request) => void this.#decide(association, request),
      released: (association) => {
        if (this.#leave(association)) this.#emit({ type: 'released', ...named(association) });
      },
      ended: (association, ending) => this.#onEnded(association, ending),
      closed: (association) => this.#forget(association),
      idle: (association) => {
        if (this.#closing) this.#abortWhenSilent(association);
      },
      operationRefused: (association, commandField, status) => {
        this.#emit({ type: 'refused-operation', commandField, status, ...named(association) });
      },
      failed: (association, error) => this.#emit({ type: 'failure', error, ...named(association) }),
    };
  }

  async #decide(association: Association, request: AssociationRequest): Promise<void> {
    const rejection = this.#rejectionOf(request);
    if (rejection) return this.#reject(association, rejection);
    if (!this.#census.enter(request.callingAet)) return this.#reject(association, Rejection.localLimitExceeded);
    this.#associations.add(association);
    try {
      const decision = this.#options.authorize(request, association.peer, association.id);
      this.#apply(association, request, 'then' in decision ? await decision : decision);
    } catch (error) {
      this.#emit({ type: 'failure', error, ...named(association) });
      this.#leave(association);
      this.#reject(association, Rejection.temporaryCongestion);
    }
  }

  #apply(association: Association, request: AssociationRequest, decision: AssociationDecision): void {
    if (decision.accept === 'elsewhere') return this.#handOver(association, request, decision);
    if (!decision.accept) {
      this.#leave(association);
      return this.#reject(association, { result: decision.result, source: decision.source, reason: decision.reason });
    }
    const acceptedContexts = association.accept(request, decision, this.#implementation);
    if (acceptedContexts === null) return;
    const refusedContexts = request.presentationContexts.length - acceptedContexts;
    this.#emit({ type: 'accepted', acceptedContexts, refusedContexts, ...named(association) });
  }

  #handOver(association: Association, request: AssociationRequest, decision: AssociationHandover): void {
    const connection = association.letGo();
    if (!connection) return;
    this.#forget(association);
    this.#emit({ type: 'handed-over', proposedContexts: request.presentationContexts.length, ...named(association) });
    try {
      decision.handOver(connection);
    } catch (error) {
      this.#emit({ type: 'failure', error, ...named(association) });
      connection.socket.destroy();
    }
  }

  #rejectionOf(request: AssociationRequest): AssociationRejection | null {
    const { aeTitles = [] } = this.#options;
    if (request.applicationContext !== DICOM_APPLICATION_CONTEXT) return Rejection.applicationContextNotSupported;
    if (request.maxPduBytes !== 0 && request.maxPduBytes < SMALLEST_USABLE_PDU_BYTES) return Rejection.providerNoReason;
    if (this.#closing) return Rejection.temporaryCongestion;
    if (aeTitles.length > 0 && !aeTitles.includes(request.calledAet)) return Rejection.calledAetNotRecognized;
    return null;
  }

  #reject(association: Association, rejection: AssociationRejection): void {
    association.reject(rejection);
    this.#emit({ type: 'rejected', rejection, ...named(association) });
  }

  #onEnded(association: Association, ending: Ending): void {
    const counted = this.#leave(association);
    // The end of what was never an association is worth telling too (strangers on the port), the end after a release is not.
    if (counted || association.calledAet === '') this.#emit({ type: 'aborted', ...ending, ...named(association) });
  }

  #forget(association: Association): void {
    this.#leave(association);
    this.#connections.delete(association);
    if (this.#connections.size === 0) this.#onLastConnectionClosed();
  }

  #leave(association: Association): boolean {
    if (!this.#associations.delete(association)) return false;
    this.#draining.get(association)?.cancel();
    this.#draining.delete(association);
    this.#census.leave(association.callingAet);
    if (this.#associations.size === 0) this.#closing?.everyoneLeft();
    return true;
  }

  #emit(event: AcceptorEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Header of a presentation data value and two bytes: less cannot carry anything. */
const SMALLEST_USABLE_PDU_BYTES = 8;

function named(association: Association) {
  return {
    associationId: association.id,
    callingAet: association.callingAet,
    calledAet: association.calledAet,
    peer: association.peer,
  };
}
