// An association we opened. Operations may be started concurrently: requests are sent one after the other, and as many
// may be unanswered as the peer's window allows. Every operation settles: by its answer, or by the association's end.
import type { Duplex } from 'node:stream';
import type { CommandSet } from '../dimse/command-set.js';
import { type Deferred, deferred } from '../deferred.js';
import { type FindAssociation, FindSearch } from '../dimse/find-search.js';
import { type MessageHandler, MessageReader } from '../dimse/message-reader.js';
import { type DataSender, MessageWriter } from '../dimse/message-writer.js';
import { type OutstandingOperation, OutstandingOperations } from '../dimse/outstanding-operations.js';
import { decodeQueryExtensions, grantQueryExtensions, type QueryExtensions } from '../dimse/query-extensions.js';
import { encodeCancelRequest, encodeEchoRequest, encodeFindRequest, encodeStoreRequest, type StoreRequestFields } from '../dimse/request.js';
import { statusCategory } from '../dimse/status.js';
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
import { type Ending, Hold, UpperLayer, type UpperLayerUser } from './upper-layer.js';

export interface StoreOperation extends StoreRequestFields {
  readonly transferSyntaxUid: string;
  readonly dataset: Buffer | AsyncIterable<Buffer>;
}

export interface FindOperation {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  /** A whole dataset in that transfer syntax. */
  readonly identifier: Buffer;
}

export interface UsableContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}

const VERIFICATION_SOP_CLASS = '1.2.840.10008.1.1';
const LARGEST_PDU_WE_SEND_BYTES = 1024 * 1024;
const MAX_COMMAND_BYTES = 64 * 1024;
const LAYER_LIMITS = { maxAssociateRequestBytes: 256 * 1024, maxPresentationContexts: 128, artimMs: 10_000, abortLingerMs: 500 };

export class RequestorAssociation implements UpperLayerUser, MessageHandler, DataSender {
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
  #operations = new OutstandingOperations<OutstandingOperation>(1);
  /** Whose dataset comes in. */
  #receiver: OutstandingOperation | null = null;
  /** Searches that have more answers than were taken: while there are any, nothing is read. */
  readonly #paused = new Set<FindSearch>();
  #sending: Promise<void> = Promise.resolve();
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
    const answer = await this.#perform(async (messageId) => {
      this.#layer.sendData(encodeEchoRequest(context.id, this.peerMaxPduBytes, messageId, VERIFICATION_SOP_CLASS));
    });
    return answer.status;
  }

  async store(operation: StoreOperation): Promise<StoreOutcome> {
    const context = this.contextFor(operation.sopClassUid, operation.transferSyntaxUid);
    if (!context) throw new NoPresentationContextError(operation.sopClassUid, operation.transferSyntaxUid);
    const answer = await this.#perform((messageId) => {
      const command = encodeStoreRequest(context.id, this.peerMaxPduBytes, messageId, operation);
      return new MessageWriter(this, context.id, this.peerMaxPduBytes).send(command, operation.dataset);
    });
    return { status: answer.status, ...(answer.errorComment ? { errorComment: answer.errorComment } : {}) };
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
      begin: (search) => this.#begin(search, (messageId) => {
        const command = encodeFindRequest(context.id, this.peerMaxPduBytes, messageId, operation.sopClassUid);
        return new MessageWriter(this, context.id, this.peerMaxPduBytes).send(command, operation.identifier);
      }),
      cancel: (messageId) => void (this.#sending = this.#sendCancelAfter(this.#sending, context.id, messageId)),
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
    await this.#sending;
    if (this.#failure) throw this.#failure;
    this.#released = deferred<void>();
    if (this.#operations.size === 0) this.#startRelease();
    await this.#released.promise;
  }

  abort(detail = 'aborted by our side'): void {
    this.#layer.abort(Abort.byUser, detail);
  }

  /** A dataset that fails in the middle cannot be taken back: the association is aborted. */
  async #perform(send: (messageId: number) => Promise<void>): Promise<CommandSet> {
    const answer = deferred<CommandSet>();
    await this.#begin(answer, send);
    return answer.promise;
  }

  async #begin(operation: OutstandingOperation, send: (messageId: number) => Promise<void>): Promise<number> {
    await this.#operations.reserve();
    if (this.#failure) throw this.#failure;
    const messageId = this.#operations.add(operation);
    const sent = this.#sending.then(() => (this.#failure ? undefined : send(messageId)));
    this.#sending = sent.then(() => this.#restartTimeout(), (error: unknown) => this.#onSendFailed(messageId, error));
    return messageId;
  }

  /** Between messages, never within one; nothing is sent for an operation that has been answered meanwhile. */
  async #sendCancelAfter(sending: Promise<void>, contextId: number, messageId: number): Promise<void> {
    await sending;
    if (this.#operations.get(messageId)) this.#layer.sendData(encodeCancelRequest(contextId, this.peerMaxPduBytes, messageId));
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

  #onSendFailed(messageId: number, error: unknown): void {
    this.#operations.take(messageId)?.reject(error instanceof Error ? error : new Error(String(error)));
    this.abort('the dataset could not be read');
  }

  #restartTimeout(): void {
    if (this.#failure || this.#operations.size === 0 || this.#paused.size > 0) this.#timeout.stop();
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
    this.#operations = new OutstandingOperations(this.operationsWindow.maxInvoked);
    this.peerMaxPduBytes = Math.min(user.maxPduBytes || LARGEST_PDU_WE_SEND_BYTES, LARGEST_PDU_WE_SEND_BYTES);
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
    if (this.#operations.size > 0) this.#restartTimeout();
  }
  messageBegins(): void {}

  isAccepted(contextId: number): boolean {
    return this.acceptedContexts.some((context) => context.id === contextId);
  }

  command(_contextId: number, answer: CommandSet): void {
    const operation = this.#operations.get(answer.messageIdRespondedTo);
    if (!operation) return this.fault(Abort.unexpectedPduParameter, 'a response to nothing we asked');
    if (operation.pending && statusCategory(answer.status) === 'pending') {
      this.#receiver = operation;
      operation.pending(answer);
      return this.#restartTimeout();
    }
    this.#operations.take(answer.messageIdRespondedTo);
    operation.resolve(answer);
    this.#restartTimeout();
    if (this.#released && this.#operations.size === 0) this.#startRelease();
  }

  data(bytes: Buffer): void {
    this.#receiver?.data?.(bytes);
  }
  dataEnd(): void {
    this.#receiver?.dataEnd?.();
    this.#receiver = null;
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
    for (const operation of this.#operations.takeAll()) operation.reject(this.#failure);
  }
}
