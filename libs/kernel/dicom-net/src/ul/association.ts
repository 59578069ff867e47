// One association we accepted: negotiates, reads requests, answers them in order, and ends well or badly exactly once.
import type { Duplex } from 'node:stream';
import { RESPONSE_BIT } from '../dimse/command-field.js';
import type { CommandSet } from '../dimse/command-set.js';
import type { DimseServices } from '../dimse/dimse-services.js';
import { MessageOutlet } from '../dimse/message-outlet.js';
import type { EventReportOperation } from '../dimse/event-report-service.js';
import { type MessageHandler, MessageReader } from '../dimse/message-reader.js';
import type { DataSender } from '../dimse/message-writer.js';
import type { NormalizedOutcome } from '../dimse/normalized-outcome.js';
import { type InvokingAssociation, OperationInvoker } from '../dimse/operation-invoker.js';
import { OperationPerformer } from '../dimse/operation-performer.js';
import type { PerformingAssociation } from '../dimse/performing-association.js';
import type { StoreOperation } from '../dimse/store-operation.js';
import type { StoreOutcome } from '../dimse/store-service.js';
import { Abort, type AssociationAbort } from './abort-reason.js';
import type { AcceptorLimits } from './acceptor-limits.js';
import { encodeAssociateAc } from './associate-pdu.js';
import type { AssociationAcceptance } from './association-decision.js';
import type { BegunConnection } from './association-handover.js';
import { AssociationAbortedError, AssociationTransportError, NoPresentationContextError, RoleNotGrantedError } from './association-error.js';
import type { AssociationRequest } from './association-request.js';
import type { AssociationView } from './association-view.js';
import { type AcceptedContext, type Implementation, negotiate } from './negotiation.js';
import type { PeerAddress } from './peer-address.js';
import { ProgressWatchdog } from './progress-watchdog.js';
import type { AssociationRejection } from './reject-reason.js';
import type { TimerSource } from './timer-source.js';
import { type Ending, type HoldReason, UpperLayer, type UpperLayerUser } from './upper-layer.js';
import type { UsableContext } from './usable-context.js';

/** What the acceptor wants to know of its associations. */
export interface AssociationHost {
  requested(association: Association, request: AssociationRequest): void;
  released(association: Association): void;
  ended(association: Association, ending: Ending): void;
  closed(association: Association): void;
  /** Nothing is under way. */
  idle(association: Association): void;
  operationRefused(association: Association, commandField: number, status: number): void;
  failed(association: Association, error: unknown): void;
}

/** Without a limit of the peer we still send PDUs of a sensible size. */
const LARGEST_PDU_WE_SEND_BYTES = 1024 * 1024;

export class Association
implements AssociationView, PerformingAssociation, InvokingAssociation, UpperLayerUser, MessageHandler, DataSender {
  callingAet = '';
  calledAet = '';
  session: unknown = undefined;
  readonly #layer: UpperLayer;
  readonly #messages: MessageReader;
  readonly #watchdog: ProgressWatchdog;
  readonly #outlet = new MessageOutlet(this);
  readonly #performer: OperationPerformer;
  readonly #invoker = new OperationInvoker(this.#outlet, this);
  /** Whose message comes in. */
  #incoming: OperationPerformer | OperationInvoker;
  #contexts: ReadonlyMap<number, AcceptedContext> = new Map();
  #draining: Promise<void> | null = null;
  #releaseAsked = false;

  constructor(
    readonly id: number,
    readonly peer: PeerAddress,
    transport: Duplex,
    readonly limits: AcceptorLimits,
    readonly timers: TimerSource,
    services: DimseServices,
    private readonly host: AssociationHost,
  ) {
    this.#performer = new OperationPerformer(services, this, this.#outlet);
    this.#incoming = this.#performer;
    this.#messages = new MessageReader(this, limits.maxCommandBytes);
    this.#layer = new UpperLayer(transport, 'acceptor', this, limits, timers);
    this.#watchdog = new ProgressWatchdog(timers, limits, this, (detail) => this.abort(detail));
    this.#layer.acceptTransport();
  }

  get associationId(): number {
    return this.id;
  }
  get state(): string {
    return this.#layer.state;
  }
  get outstandingOperations(): number {
    return this.#performer.outstanding;
  }
  get midPdu(): boolean {
    return this.#layer.midPdu;
  }
  get midMessage(): boolean {
    return this.#messages.midMessage;
  }
  get messagesBegun(): number {
    return this.#messages.messagesBegun;
  }
  get waitingForUs(): boolean {
    return this.#layer.held || (this.outstandingOperations > 0 && !this.#performer.isReceiving && !this.#invoker.isOwed);
  }
  get isIdle(): boolean {
    return this.outstandingOperations === 0 && this.#invoker.outstanding === 0 && !this.midPdu && !this.midMessage;
  }
  get storageContexts(): readonly UsableContext[] {
    return [...this.#contexts.values()].filter((context) => context.peerIsScp);
  }

  /** C-STORE with the peer as SCP, where role selection made it one. */
  async store(operation: StoreOperation, signal: AbortSignal): Promise<StoreOutcome> {
    const { sopClassUid, transferSyntaxUid } = operation;
    const context = this.storageContexts.find((one) => one.abstractSyntax === sopClassUid && one.transferSyntax === transferSyntaxUid);
    if (!context) throw new NoPresentationContextError(sopClassUid, transferSyntaxUid);
    return this.#invoker.store(context.id, operation, signal);
  }

  /** N-EVENT-REPORT with the peer as SCU, which is the default. */
  async report(operation: EventReportOperation): Promise<NormalizedOutcome> {
    const { sopClassUid, transferSyntaxUid } = operation;
    for (const context of this.#contexts.values()) {
      const isOfClass = context.abstractSyntax === sopClassUid && context.transferSyntax === transferSyntaxUid;
      if (isOfClass && context.peerIsScu) return this.#invoker.report(context.id, operation);
    }
    throw new RoleNotGrantedError(sopClassUid, 'SCP');
  }

  abort(detail: string): void {
    this.#layer.abort(Abort.byUser, detail);
  }

  /** For connections that are no association (yet or any more). */
  dropConnection(): void {
    this.#layer.destroy();
  }

  /** What was read of the connection before. */
  receive(head: Buffer): void {
    this.#layer.receive(head);
  }

  /** See UpperLayer.letGo: afterwards this association is none. */
  letGo(): BegunConnection | null {
    return this.#layer.letGo();
  }

  reject(rejection: AssociationRejection): void {
    if (this.state === 'Sta3') this.#layer.reject(rejection);
  }

  /** Answers the request context by context. Returns how many were accepted, or null when the peer has gone meanwhile. */
  accept(request: AssociationRequest, decision: AssociationAcceptance, implementation: Implementation): number | null {
    if (this.state !== 'Sta3') return null;
    const { answer, contexts, peerMayInvoke, weMayInvoke } = negotiate(request, decision, this.limits, implementation);
    const peerMaxPduBytes = Math.min(request.maxPduBytes || LARGEST_PDU_WE_SEND_BYTES, LARGEST_PDU_WE_SEND_BYTES);
    this.session = decision.session;
    this.#contexts = contexts;
    this.#performer.open(peerMayInvoke, peerMaxPduBytes);
    this.#invoker.open(weMayInvoke, peerMaxPduBytes);
    this.#layer.accept(encodeAssociateAc(answer));
    this.#watchdog.start();
    return contexts.size;
  }

  associateRequested(request: AssociationRequest): void {
    this.callingAet = request.callingAet;
    this.calledAet = request.calledAet;
    this.host.requested(this, request);
  }
  associateAccepted(): void {}
  associateRejected(): void {}
  releaseConfirmed(): void {}

  releaseRequested(): void {
    if (this.midMessage) return this.fault(Abort.unexpectedPdu, 'release in the middle of a message');
    this.#releaseAsked = true;
    // Who leaves in the middle of a search wants no more of it, and may not expect an answer between its request and our response.
    this.#performer.abortStreams('the peer released the association');
    this.#invoker.end(new AssociationTransportError('the peer released the association'));
    this.#respondToRelease();
  }

  received(bytes: number): void {
    this.#watchdog.received(bytes);
    this.#performer.readBegins();
  }
  value(contextId: number, controlHeader: number): void {
    this.#messages.value(contextId, controlHeader);
  }
  fragment(bytes: Buffer): void {
    this.#messages.fragment(bytes);
  }
  valueEnd(): void {
    this.#messages.valueEnd();
  }
  readEnd(): void {
    this.#performer.readEnd();
  }

  ended(ending: Ending): void {
    this.#watchdog.stop();
    this.#performer.abort(ending.detail);
    this.#invoker.end(errorOf(ending));
    this.host.ended(this, ending);
  }
  closed(): void {
    this.#watchdog.stop();
    this.host.closed(this);
  }

  isAccepted(contextId: number): boolean {
    return this.#contexts.has(contextId);
  }

  messageBegins(): void {
    this.#performer.messageBegins();
  }

  command(contextId: number, command: CommandSet): void {
    const context = this.#contexts.get(contextId);
    if (!context) return;
    if (command.commandField & RESPONSE_BIT) {
      this.#incoming = this.#invoker;
      return this.#invoker.response(command);
    }
    this.#incoming = this.#performer;
    this.#performer.request(context, command);
  }
  data(bytes: Buffer): void {
    this.#incoming.data(bytes);
  }
  dataEnd(): void {
    this.#incoming.dataEnd();
  }

  pauseReading(reason: HoldReason): void {
    this.#layer.hold(reason);
  }
  resumeReading(reason: HoldReason): void {
    this.#layer.release(reason);
  }
  answered(): void {
    if (this.#releaseAsked) this.#respondToRelease();
    else if (this.isIdle) this.host.idle(this);
  }
  progressed(): void {
    if (this.isIdle) this.host.idle(this);
  }
  operationRefused(commandField: number, status: number): void {
    this.host.operationRefused(this, commandField, status);
  }
  operationFailed(error: unknown): void {
    this.host.failed(this, error);
  }

  get canSend(): boolean {
    return this.#layer.canSend;
  }
  sendParts(parts: readonly Buffer[]): boolean {
    return this.#layer.sendParts(parts);
  }
  /** A peer that does not take its answers would keep a search open for ever. */
  drained(): Promise<void> {
    return (this.#draining ??= this.#drain());
  }
  async #drain(): Promise<void> {
    const patience = this.timers.schedule(this.limits.idleMs, () => this.abort(`no answer was taken for ${this.limits.idleMs} ms`));
    await this.#layer.drained();
    patience.cancel();
    this.#draining = null;
  }

  /** Faults inside P-DATA are told with the provider's reasons, which say more than "the application gave up". */
  fault(abort: AssociationAbort, detail: string): void {
    this.#layer.abort(abort, detail);
  }

  #respondToRelease(): void {
    if (this.outstandingOperations > 0 || this.state !== 'Sta8') return;
    this.#watchdog.stop();
    this.#layer.respondToRelease();
    this.host.released(this);
  }
}

function errorOf({ by, abort, detail }: Ending): AssociationAbortedError | AssociationTransportError {
  return by === 'transport' ? new AssociationTransportError(detail) : new AssociationAbortedError(abort, detail);
}
