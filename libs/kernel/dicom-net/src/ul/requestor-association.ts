// An association we opened. Operations may be started concurrently: requests are sent one after the other, and as many
// may be unanswered as the peer's window allows. Every operation settles: by its answer, or by the association's end.
import type { Duplex } from 'node:stream';
import type { ActionOperation } from '../dimse/action-service.js';
import { RESPONSE_BIT } from '../dimse/command-field.js';
import type { CommandSet } from '../dimse/command-set.js';
import { type Deferred, deferred } from '../deferred.js';
import type { EventReportOperation } from '../dimse/event-report-service.js';
import { type FindAssociation, FindSearch } from '../dimse/find-search.js';
import { MessageOutlet } from '../dimse/message-outlet.js';
import { type MessageHandler, MessageReader } from '../dimse/message-reader.js';
import type { DataSender } from '../dimse/message-writer.js';
import type { NormalizedOutcome } from '../dimse/normalized-outcome.js';
import { type Invocation, type InvokingAssociation, OperationInvoker } from '../dimse/operation-invoker.js';
import { OperationPerformer } from '../dimse/operation-performer.js';
import type { PerformingAssociation } from '../dimse/performing-association.js';
import { decodeQueryExtensions, grantQueryExtensions, NO_QUERY_EXTENSIONS, type QueryExtensions } from '../dimse/query-extensions.js';
import { encodeEchoRequest, encodeFindRequest, encodeRetrieveRequest } from '../dimse/request.js';
import { Retrieval } from '../dimse/retrieval.js';
import type { StoreOperation } from '../dimse/store-operation.js';
import type { StoreOutcome } from '../dimse/store-service.js';
import { Abort, type AssociationAbort } from './abort-reason.js';
import { DEFAULT_ACCEPTOR_LIMITS } from './acceptor-limits.js';
import { ArtimTimer } from './artim-timer.js';
import { type AssociationAnswer, encodeAssociateRq } from './associate-pdu.js';
import {
  AssociationAbortedError, type AssociationError, AssociationRejectedError, AssociationTransportError, NoPresentationContextError, RoleNotGrantedError,
} from './association-error.js';
import type { AssociationRequest, ExtendedNegotiation, OperationsWindow, RoleSelection } from './association-request.js';
import type { AcceptedContext } from './negotiation.js';
import type { PeerAddress } from './peer-address.js';
import type { AssociationRejection } from './reject-reason.js';
import type { RequestorOptions } from './requestor-options.js';
import { SystemTimerSource, type TimerSource } from './timer-source.js';
import type { UsableContext } from './usable-context.js';
import { type Ending, Hold, type HoldReason, UpperLayer, type UpperLayerUser } from './upper-layer.js';

export interface FindOperation {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  /** A whole dataset in that transfer syntax. */
  readonly identifier: Buffer;
}

/** C-GET. Objects go to the store service of the options, where the peer was told by `roles` that we are an SCP of their SOP classes. */
export type GetOperation = FindOperation;

export interface MoveOperation extends FindOperation {
  /** AE title, as the peer knows it. */
  readonly moveDestination: string;
}

const VERIFICATION_SOP_CLASS = '1.2.840.10008.1.1';
const LARGEST_PDU_WE_SEND_BYTES = 1024 * 1024;
const MAX_COMMAND_BYTES = 64 * 1024;
const LAYER_LIMITS = { maxAssociateRequestBytes: 256 * 1024, maxPresentationContexts: 128, artimMs: 10_000, abortLingerMs: 500 };

export class RequestorAssociation implements InvokingAssociation, PerformingAssociation, UpperLayerUser, MessageHandler, DataSender {
  readonly limits = DEFAULT_ACCEPTOR_LIMITS;
  readonly timers: TimerSource;
  readonly session = undefined;
  /** Associations of ours have no numbers. */
  readonly associationId = 0;
  operationsWindow: OperationsWindow = { maxInvoked: 1, maxPerformed: 1 };
  roles: readonly RoleSelection[] = [];
  /** What the peer answered to each context that was proposed, by its id (PS3.8 Table 9-18): 1, 3, 5 … in the order of the options. */
  readonly contextResults = new Map<number, number>();
  extendedNegotiations: readonly ExtendedNegotiation[] = [];
  userIdentityResponse: Buffer | undefined;
  peerMaxPduBytes = 0;
  /** Settles once the peer has answered our request. */
  readonly established: Promise<void>;
  readonly #layer: UpperLayer;
  readonly #messages: MessageReader;
  readonly #timeout: ArtimTimer;
  readonly #outlet = new MessageOutlet(this);
  readonly #invoker = new OperationInvoker(this.#outlet, this);
  readonly #performer: OperationPerformer;
  /** Whose message comes in. */
  #incoming: OperationInvoker | OperationPerformer = this.#invoker;
  readonly #contexts = new Map<number, AcceptedContext>();
  /** Searches that have more answers than were taken: while there are any, nothing is read. */
  readonly #paused = new Set<FindSearch>();
  #failure: AssociationError | null = null;
  readonly #establish = deferred<void>();
  #released: Deferred<void> | null = null;

  constructor(transport: Duplex, private readonly request: AssociationRequest, private readonly options: RequestorOptions) {
    this.timers = options.timers ?? new SystemTimerSource();
    this.#performer = new OperationPerformer(options.services ?? {}, this, this.#outlet);
    this.established = this.#establish.promise;
    this.#messages = new MessageReader(this, MAX_COMMAND_BYTES);
    this.#layer = new UpperLayer(transport, 'requestor', this, { ...LAYER_LIMITS, maxPduBytes: request.maxPduBytes }, this.timers);
    this.#timeout = new ArtimTimer(this.timers, () => this.#layer.abort(Abort.byUser, 'the peer did not answer in time'));
    this.#timeout.start(options.associateTimeoutMs ?? 30_000);
    this.#layer.requestAssociation(encodeAssociateRq(request));
  }

  get callingAet(): string {
    return this.request.callingAet;
  }
  get calledAet(): string {
    return this.request.calledAet;
  }
  get peer(): PeerAddress {
    return { address: this.options.host, port: this.options.port };
  }
  get acceptedContexts(): readonly UsableContext[] {
    return [...this.#contexts.values()];
  }

  async echo(): Promise<number> {
    const context = this.acceptedContexts.find((one) => one.abstractSyntax === VERIFICATION_SOP_CLASS);
    if (!context) throw new NoPresentationContextError(VERIFICATION_SOP_CLASS, undefined);
    const { command } = await this.#invoker.invoke({
      contextId: context.id,
      command: (messageId, peerMaxPduBytes) => encodeEchoRequest(context.id, peerMaxPduBytes, messageId, VERIFICATION_SOP_CLASS),
    });
    return command.status;
  }

  async store(operation: StoreOperation, signal?: AbortSignal): Promise<StoreOutcome> {
    return this.#invoker.store(this.#contextOf(operation).id, operation, signal);
  }

  /**
   * Nothing is sent before the first iteration. With a window above one, searches that run at once must all be iterated: one that
   * is full stops the reading for all.
   * @throws NoPresentationContextError
   */
  find(operation: FindOperation): FindSearch {
    const context = this.#contextOf(operation);
    const association: FindAssociation = {
      begin: (search) => this.#invoker.begin(search, {
        contextId: context.id,
        command: (messageId, peerMaxPduBytes) => encodeFindRequest(context.id, peerMaxPduBytes, messageId, operation.sopClassUid),
        dataset: operation.identifier,
      }),
      cancel: (messageId) => this.#invoker.cancel(messageId, context.id),
      pause: (search) => this.#pause(search),
      resume: (search) => this.#resume(search),
      tooLong: () => this.abort('the peer sent an identifier that is too long'),
    };
    return new FindSearch(association);
  }

  /**
   * Nothing is sent before the first iteration. Without a byte of the peer for `responseTimeoutMs` the association ends: a peer that says nothing
   * while it sends objects needs a longer one.
   * @throws NoPresentationContextError
   */
  move(operation: MoveOperation): Retrieval {
    return this.#retrieve(operation, operation.moveDestination);
  }

  /** Likewise. @throws NoPresentationContextError */
  get(operation: GetOperation): Retrieval {
    return this.#retrieve(operation, undefined);
  }

  #retrieve(operation: GetOperation, moveDestination: string | undefined): Retrieval {
    const { id: contextId, transferSyntax: transferSyntaxUid } = this.#contextOf(operation);
    const { sopClassUid, identifier: dataset } = operation;
    const invocation: Invocation = {
      contextId,
      command: (messageId, peerMaxPduBytes) => encodeRetrieveRequest(contextId, peerMaxPduBytes, messageId, sopClassUid, moveDestination),
      dataset,
    };
    return new Retrieval({
      transferSyntaxUid,
      begin: (retrieval) => this.#invoker.begin(retrieval, invocation),
      cancel: (messageId) => this.#invoker.cancel(messageId, contextId),
    });
  }

  /** What the peer granted for a query SOP class of what we proposed (PS3.4 §C.5.1.1). */
  queryExtensions(sopClassUid: string): QueryExtensions {
    const informationOf = (all: readonly ExtendedNegotiation[]): Buffer => all.find((one) => one.sopClassUid === sopClassUid)?.information ?? Buffer.alloc(0);
    return grantQueryExtensions(
      decodeQueryExtensions(informationOf(this.request.extendedNegotiations)), decodeQueryExtensions(informationOf(this.extendedNegotiations)),
    );
  }

  contextFor(abstractSyntax: string, transferSyntax: string): UsableContext | undefined {
    for (const context of this.#contexts.values()) {
      if (context.abstractSyntax === abstractSyntax && context.transferSyntax === transferSyntax) return context;
    }
    return undefined;
  }

  /** As SCU. @throws NoPresentationContextError */
  async action(operation: ActionOperation): Promise<NormalizedOutcome> {
    return this.#invoker.action(this.#contextOf(operation).id, operation);
  }

  /**
   * As SCP, which we are where `roles` proposed it and the peer granted it: Storage Commitment on an association of its own (PS3.4 §J.3.3).
   * @throws NoPresentationContextError, RoleNotGrantedError
   */
  async report(operation: EventReportOperation): Promise<NormalizedOutcome> {
    const { id } = this.#contextOf(operation);
    if (!this.#contexts.get(id)?.peerIsScu) throw new RoleNotGrantedError(operation.sopClassUid, 'SCP');
    return this.#invoker.report(id, operation);
  }

  #contextOf({ sopClassUid, transferSyntaxUid }: { sopClassUid: string; transferSyntaxUid: string }): UsableContext {
    const context = this.contextFor(sopClassUid, transferSyntaxUid);
    if (!context) throw new NoPresentationContextError(sopClassUid, transferSyntaxUid);
    return context;
  }

  /** What the peer performs with us as SCU. */
  get storageContexts(): readonly UsableContext[] {
    return [...this.#contexts.values()].filter((context) => context.peerIsScp);
  }

  /** Waits for the answers still owed, by both sides, then releases in order. */
  async release(): Promise<void> {
    await this.#outlet.written();
    if (this.#failure) throw this.#failure;
    this.#released = deferred<void>();
    this.#releaseIfDone();
    await this.#released.promise;
  }

  abort(detail = 'aborted by our side'): void {
    this.#layer.abort(Abort.byUser, detail);
  }

  /** Who does not read is not owed an answer in time. */
  #pause(search: FindSearch): void {
    this.#paused.add(search);
    this.#layer.hold(Hold.reader);
    this.#timeout.stop();
  }

  #resume(search: FindSearch): void {
    if (!this.#paused.delete(search) || this.#paused.size > 0) return;
    this.#layer.release(Hold.reader);
    this.#restartTimeout();
  }

  #restartTimeout(): void {
    const isOurTurn = this.#layer.held || (this.#performer.outstanding > 0 && !this.#performer.isReceiving);
    if (this.#failure || this.#invoker.outstanding === 0 || isOurTurn) this.#timeout.stop();
    else this.#timeout.start(this.options.responseTimeoutMs ?? 60_000);
  }

  get canSend(): boolean {
    return this.#layer.canSend;
  }
  sendParts(parts: readonly Buffer[]): boolean {
    return this.#layer.sendParts(parts);
  }
  /** A peer that stops reading is as silent as one that does not answer. */
  async drained(): Promise<void> {
    this.#timeout.start(this.options.responseTimeoutMs ?? 60_000);
    await this.#layer.drained();
    this.#timeout.stop();
  }

  #releaseIfDone(): void {
    if (this.#invoker.outstanding > 0 || this.#performer.outstanding > 0 || this.#layer.state !== 'Sta6') return;
    this.#timeout.start(this.options.responseTimeoutMs ?? 60_000);
    this.#layer.requestRelease();
  }

  associateRequested(): void {}

  associateAccepted(answer: AssociationAnswer): void {
    this.#timeout.stop();
    const { user } = answer;
    this.roles = user.roles;
    for (const { id, result, transferSyntax } of answer.contexts) {
      const asked = this.request.presentationContexts.find((context) => context.id === id);
      if (asked) this.contextResults.set(id, result);
      if (asked && result === 0) this.#contexts.set(id, this.#contextWithRoles(id, asked.abstractSyntax, transferSyntax));
    }
    this.operationsWindow = user.operationsWindow ?? this.operationsWindow;
    this.peerMaxPduBytes = Math.min(user.maxPduBytes || LARGEST_PDU_WE_SEND_BYTES, LARGEST_PDU_WE_SEND_BYTES);
    const { maxInvoked, maxPerformed } = this.operationsWindow;
    this.#invoker.open(maxInvoked, this.peerMaxPduBytes);
    this.#performer.open(maxPerformed || Infinity, this.peerMaxPduBytes);
    this.extendedNegotiations = user.extendedNegotiations;
    this.userIdentityResponse = user.userIdentityResponse;
    this.#establish.resolve();
  }

  /** Only a role that was proposed can be granted; without an answer the default holds (PS3.7 §D.3.3.4). */
  #contextWithRoles(id: number, abstractSyntax: string, transferSyntax: string): AcceptedContext {
    const ofClass = (role: RoleSelection): boolean => role.sopClassUid === abstractSyntax;
    const proposed = this.request.roles.find(ofClass);
    const granted = this.roles.find(ofClass);
    const peerIsScu = proposed?.scp === true && granted?.scp === true;
    return { id, abstractSyntax, transferSyntax, peerIsScu, peerIsScp: !proposed || !granted || granted.scu, queryExtensions: NO_QUERY_EXTENSIONS };
  }

  associateRejected(rejection: AssociationRejection): void {
    this.#fail(new AssociationRejectedError(rejection));
  }

  /** Only requestors of ours release; a peer that asks first gets its answer, whatever is unanswered fails (PS3.8 §7.2). */
  releaseRequested(): void {
    this.#layer.respondToRelease();
    this.#fail(new AssociationTransportError('the peer released the association'));
  }

  releaseConfirmed(): void {
    this.#timeout.stop();
    this.#failure ??= new AssociationTransportError('the association was released');
    this.#released?.resolve();
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
  received(): void {
    this.#performer.readBegins();
    if (this.#invoker.outstanding > 0) this.#restartTimeout();
  }
  messageBegins(): void {
    this.#performer.messageBegins();
  }

  isAccepted(contextId: number): boolean {
    return this.#contexts.has(contextId);
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
  progressed(): void {
    this.#restartTimeout();
    if (this.#released) this.#releaseIfDone();
  }
  answered(): void {
    this.progressed();
  }
  operationRefused(): void {}
  operationFailed(error: unknown): void {
    this.options.onFailure?.(error);
  }

  pauseReading(reason: HoldReason): void {
    this.#layer.hold(reason);
    this.#restartTimeout();
  }
  resumeReading(reason: HoldReason): void {
    this.#layer.release(reason);
    this.#restartTimeout();
  }

  fault(abort: AssociationAbort, detail: string): void {
    this.#layer.abort(abort, detail);
  }

  ended(ending: Ending): void {
    const { by, abort, detail } = ending;
    this.#fail(by === 'transport' ? new AssociationTransportError(detail) : new AssociationAbortedError(abort, detail));
  }

  closed(): void {
    this.#fail(new AssociationTransportError('the connection was closed'));
  }

  #fail(error: AssociationError): void {
    this.#timeout.stop();
    this.#failure ??= error;
    this.#establish.reject(this.#failure);
    this.#released?.reject(this.#failure);
    this.#performer.abort(this.#failure.message);
    this.#invoker.end(this.#failure);
  }
}
