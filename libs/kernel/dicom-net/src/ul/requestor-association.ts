// An association we opened. Operations may be started concurrently: requests are sent one after the other, and as many
// may be unanswered as the peer's window allows. Every operation settles: by its answer, or by the association's end.
import type { Duplex } from 'node:stream';
import { RESPONSE_BIT } from '../dimse/command-field.js';
import type { CommandSet } from '../dimse/command-set.js';
import { type Deferred, deferred } from '../deferred.js';
import { type FindAssociation, FindSearch } from '../dimse/find-search.js';
import { MessageOutlet } from '../dimse/message-outlet.js';
import { type MessageHandler, MessageReader } from '../dimse/message-reader.js';
import type { DataSender } from '../dimse/message-writer.js';
import { type InvokingAssociation, OperationInvoker } from '../dimse/operation-invoker.js';
import { decodeQueryExtensions, grantQueryExtensions, type QueryExtensions } from '../dimse/query-extensions.js';
import { encodeEchoRequest, encodeFindRequest } from '../dimse/request.js';
import type { StoreOperation } from '../dimse/store-operation.js';
import type { StoreOutcome } from '../dimse/store-service.js';
import { Abort, type AssociationAbort } from './abort-reason.js';
import { ArtimTimer } from './artim-timer.js';
import { type AssociationAnswer, encodeAssociateRq } from './associate-pdu.js';
import {
  AssociationAbortedError, type AssociationError, AssociationRejectedError, AssociationTransportError, NoPresentationContextError,
} from './association-error.js';
import type { AssociationRequest, ExtendedNegotiation, OperationsWindow, RoleSelection } from './association-request.js';
import type { AssociationRejection } from './reject-reason.js';
import type { RequestorOptions } from './requestor-options.js';
import { SystemTimerSource } from './timer-source.js';
import type { UsableContext } from './usable-context.js';
import { type Ending, Hold, UpperLayer, type UpperLayerUser } from './upper-layer.js';

export interface FindOperation {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  /** A whole dataset in that transfer syntax. */
  readonly identifier: Buffer;
}

const VERIFICATION_SOP_CLASS = '1.2.840.10008.1.1';
const LARGEST_PDU_WE_SEND_BYTES = 1024 * 1024;
const MAX_COMMAND_BYTES = 64 * 1024;
const LAYER_LIMITS = { maxAssociateRequestBytes: 256 * 1024, maxPresentationContexts: 128, artimMs: 10_000, abortLingerMs: 500 };

export class RequestorAssociation implements InvokingAssociation, UpperLayerUser, MessageHandler, DataSender {
  readonly acceptedContexts: UsableContext[] = [];
  operationsWindow: OperationsWindow = { maxInvoked: 1, maxPerformed: 1 };
  roles: readonly RoleSelection[] = [];
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
  /** Searches that have more answers than were taken: while there are any, nothing is read. */
  readonly #paused = new Set<FindSearch>();
  #failure: AssociationError | null = null;
  readonly #establish = deferred<void>();
  #released: Deferred<void> | null = null;

  constructor(transport: Duplex, private readonly request: AssociationRequest, private readonly options: RequestorOptions) {
    const timers = options.timers ?? new SystemTimerSource();
    this.established = this.#establish.promise;
    this.#messages = new MessageReader(this, MAX_COMMAND_BYTES);
    this.#layer = new UpperLayer(transport, 'requestor', this, { ...LAYER_LIMITS, maxPduBytes: request.maxPduBytes }, timers);
    this.#timeout = new ArtimTimer(timers, () => this.#layer.abort(Abort.byUser, 'the peer did not answer in time'));
    this.#timeout.start(options.associateTimeoutMs ?? 30_000);
    this.#layer.requestAssociation(encodeAssociateRq(request));
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

  async store(operation: StoreOperation): Promise<StoreOutcome> {
    const context = this.contextFor(operation.sopClassUid, operation.transferSyntaxUid);
    if (!context) throw new NoPresentationContextError(operation.sopClassUid, operation.transferSyntaxUid);
    return this.#invoker.store(context.id, operation);
  }

  /**
   * Nothing is sent before the first iteration. With a window above one, searches that run at once must all be iterated: one that
   * is full stops the reading for all.
   * @throws NoPresentationContextError
   */
  find(operation: FindOperation): FindSearch {
    const context = this.contextFor(operation.sopClassUid, operation.transferSyntaxUid);
    if (!context) throw new NoPresentationContextError(operation.sopClassUid, operation.transferSyntaxUid);
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

  /** What the peer granted for a query SOP class of what we proposed (PS3.4 §C.5.1.1). */
  queryExtensions(sopClassUid: string): QueryExtensions {
    const informationOf = (all: readonly ExtendedNegotiation[]): Buffer => all.find((one) => one.sopClassUid === sopClassUid)?.information ?? Buffer.alloc(0);
    return grantQueryExtensions(
      decodeQueryExtensions(informationOf(this.request.extendedNegotiations)), decodeQueryExtensions(informationOf(this.extendedNegotiations)),
    );
  }

  contextFor(abstractSyntax: string, transferSyntax: string): UsableContext | undefined {
    return this.acceptedContexts.find((one) => one.abstractSyntax === abstractSyntax && one.transferSyntax === transferSyntax);
  }

  /** Waits for the answers still owed, then releases in order. */
  async release(): Promise<void> {
    await this.#outlet.written();
    if (this.#failure) throw this.#failure;
    this.#released = deferred<void>();
    if (this.#invoker.outstanding === 0) this.#startRelease();
    await this.#released.promise;
  }

  abort(detail = 'aborted by our side'): void {
    this.#layer.abort(Abort.byUser, detail);
  }

  /** Who does not read is not owed an answer in time. */
  #pause(search: FindSearch): void {
    this.#paused.add(search);
    this.#layer.hold(Hold.sink);
    this.#timeout.stop();
  }

  #resume(search: FindSearch): void {
    if (!this.#paused.delete(search) || this.#paused.size > 0) return;
    this.#restartTimeout();
    this.#layer.release(Hold.sink);
  }

  #restartTimeout(): void {
    if (this.#failure || this.#invoker.outstanding === 0 || this.#paused.size > 0) this.#timeout.stop();
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

  #startRelease(): void {
    if (this.#layer.state !== 'Sta6') return;
    this.#timeout.start(this.options.responseTimeoutMs ?? 60_000);
    this.#layer.requestRelease();
  }

  associateRequested(): void {}

  associateAccepted(answer: AssociationAnswer): void {
    this.#timeout.stop();
    for (const { id, result, transferSyntax } of answer.contexts) {
      const asked = this.request.presentationContexts.find((context) => context.id === id);
      if (asked && result === 0) this.acceptedContexts.push({ id, abstractSyntax: asked.abstractSyntax, transferSyntax });
    }
    const { user } = answer;
    this.operationsWindow = user.operationsWindow ?? this.operationsWindow;
    this.peerMaxPduBytes = Math.min(user.maxPduBytes || LARGEST_PDU_WE_SEND_BYTES, LARGEST_PDU_WE_SEND_BYTES);
    this.#invoker.open(this.operationsWindow.maxInvoked, this.peerMaxPduBytes);
    this.roles = user.roles;
    this.extendedNegotiations = user.extendedNegotiations;
    this.userIdentityResponse = user.userIdentityResponse;
    this.#establish.resolve();
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
  readEnd(): void {}
  received(): void {
    if (this.#invoker.outstanding > 0) this.#restartTimeout();
  }
  messageBegins(): void {}

  isAccepted(contextId: number): boolean {
    return this.acceptedContexts.some((context) => context.id === contextId);
  }

  command(_contextId: number, command: CommandSet): void {
    if (!(command.commandField & RESPONSE_BIT)) return this.fault(Abort.unexpectedPduParameter, 'a request, which only requestors make');
    this.#invoker.response(command);
  }
  data(bytes: Buffer): void {
    this.#invoker.data(bytes);
  }
  dataEnd(): void {
    this.#invoker.dataEnd();
  }
  progressed(): void {
    this.#restartTimeout();
    if (this.#released && this.#invoker.outstanding === 0) this.#startRelease();
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
    this.#invoker.end(this.#failure);
  }
}
