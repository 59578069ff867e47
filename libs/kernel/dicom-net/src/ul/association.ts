// One association we accepted: negotiates, reads requests, answers them in order, and ends well or badly exactly once.
import type { Duplex } from 'node:stream';
import { AnswerStream, type StreamedOperation } from '../dimse/answer-stream.js';
import { CommandField, RESPONSE_BIT } from '../dimse/command-field.js';
import type { CommandSet } from '../dimse/command-set.js';
import type { DatasetReceiver } from '../dimse/dataset-receiver.js';
import type { DimseServices } from '../dimse/dimse-services.js';
import { type MessageHandler, MessageReader } from '../dimse/message-reader.js';
import type { DataSender } from '../dimse/message-writer.js';
import { type Caller, dispatchOperation } from '../dimse/operation-dispatcher.js';
import { encodeResponse } from '../dimse/response.js';
import { type PendingResponse, ResponseQueue } from '../dimse/response-queue.js';
import { Abort, type AssociationAbort } from './abort-reason.js';
import type { AcceptorLimits } from './acceptor-limits.js';
import { encodeAssociateAc } from './associate-pdu.js';
import type { AssociationAcceptance } from './association-decision.js';
import type { BegunConnection } from './association-handover.js';
import type { AssociationRequest } from './association-request.js';
import type { AssociationView } from './association-view.js';
import { type AcceptedContext, type Implementation, negotiate } from './negotiation.js';
import type { PeerAddress } from './peer-address.js';
import { ProgressWatchdog } from './progress-watchdog.js';
import type { AssociationRejection } from './reject-reason.js';
import type { TimerSource } from './timer-source.js';
import { type Ending, Hold, UpperLayer, type UpperLayerUser } from './upper-layer.js';

/** What the acceptor wants to know of its associations. */
export interface AssociationHost {
  requested(association: Association, request: AssociationRequest): void;
  released(association: Association): void;
  ended(association: Association, ending: Ending): void;
  closed(association: Association): void;
  /** An operation was answered and nothing is under way. */
  idle(association: Association): void;
  operationRefused(association: Association, commandField: number, status: number): void;
  failed(association: Association, error: unknown): void;
}

/** Without a limit of the peer we still send PDUs of a sensible size. */
const LARGEST_PDU_WE_SEND_BYTES = 1024 * 1024;

export class Association implements AssociationView, Caller, UpperLayerUser, MessageHandler, DataSender {
  callingAet = '';
  calledAet = '';
  session: unknown = undefined;
  readonly #layer: UpperLayer;
  readonly #messages: MessageReader;
  readonly #watchdog: ProgressWatchdog;
  readonly #responses = new ResponseQueue();
  /** Operations whose answers stream, by message id. */
  readonly #streams = new Map<number, StreamedOperation>();
  /** A request whose command was read while the window was full, because it might have been a C-CANCEL. */
  #parked: { readonly context: AcceptedContext; readonly command: CommandSet } | null = null;
  #contexts: ReadonlyMap<number, AcceptedContext> = new Map();
  #peerMaxPduBytes = 0;
  #peerMayInvoke = 1;
  #receiver: DatasetReceiver | null = null;
  #reading = false;
  #draining: Promise<void> | null = null;
  #releaseAsked = false;

  constructor(
    readonly id: number,
    readonly peer: PeerAddress,
    transport: Duplex,
    private readonly limits: AcceptorLimits,
    private readonly timers: TimerSource,
    private readonly services: DimseServices,
    private readonly host: AssociationHost,
  ) {
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
    return this.#responses.length + this.#streams.size;
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
    return this.#layer.held || (this.outstandingOperations > 0 && this.#receiver === null);
  }
  get isIdle(): boolean {
    return this.outstandingOperations === 0 && !this.midPdu && !this.midMessage;
  }
  get maxIdentifierBytes(): number {
    return this.limits.maxIdentifierBytes;
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
    const { answer, contexts, peerMayInvoke } = negotiate(request, decision, this.limits, implementation);
    this.session = decision.session;
    this.#contexts = contexts;
    this.#peerMayInvoke = peerMayInvoke;
    this.#peerMaxPduBytes = Math.min(request.maxPduBytes || LARGEST_PDU_WE_SEND_BYTES, LARGEST_PDU_WE_SEND_BYTES);
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
    this.#abortStreams('the peer released the association');
    this.#respondToRelease();
  }

  received(bytes: number): void {
    this.#watchdog.received(bytes);
    this.#reading = true;
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
    this.#reading = false;
    this.#flush();
  }

  ended(ending: Ending): void {
    this.#watchdog.stop();
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.abort(ending.detail);
    this.#parked = null;
    this.#abortStreams(ending.detail);
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
    // While answers stream a C-CANCEL must get through: then a request is read as far as its command, and waits there.
    if (this.#isWindowFull && this.#streams.size === 0) this.#layer.hold(Hold.window);
  }

  command(contextId: number, command: CommandSet): void {
    const context = this.#contexts.get(contextId);
    if (!context) return;
    if (command.commandField === CommandField.cCancelRq && !command.hasDataset) return this.#streams.get(command.messageIdRespondedTo)?.cancel();
    if (command.commandField & RESPONSE_BIT) return this.fault(Abort.unexpectedPduParameter, 'response to a request we never made');
    if (command.messageId < 0) return this.fault(Abort.invalidPduParameter, 'request without a message id');
    if (!this.#isWindowFull) return this.#begin(context, command);
    this.#parked = { context, command };
    this.#layer.hold(Hold.window);
  }

  #begin(context: AcceptedContext, command: CommandSet): void {
    const isDuplicate = this.#responses.has(command.messageId) || this.#streams.has(command.messageId);
    const pending = this.#responses.add(command.messageId);
    this.#receiver = dispatchOperation(this.services, this, context, command, isDuplicate, {
      answer: (status, errorComment) => this.#answer(pending, encodeResponse(command, context.id, this.#peerMaxPduBytes, status, errorComment)),
      refused: (refused, status) => this.host.operationRefused(this, refused.commandField, status),
      failed: (error) => this.host.failed(this, error),
    });
  }

  data(bytes: Buffer): void {
    const written = this.#receiver?.data(bytes);
    if (written === undefined) return;
    this.#layer.hold(Hold.sink);
    void written.then(() => this.#layer.release(Hold.sink));
  }

  dataEnd(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.end();
  }

  stream(operation: StreamedOperation, context: AcceptedContext, command: CommandSet): AnswerStream {
    this.#responses.withdrawLast();
    this.#streams.set(command.messageId, operation);
    return new AnswerStream(this, context.id, this.#peerMaxPduBytes, command, () => {
      this.#streams.delete(command.messageId);
      this.#answered();
    });
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

  #answer(pending: PendingResponse, response: Buffer): void {
    pending.response = response;
    if (!this.#reading) this.#flush();
  }

  #flush(): void {
    const ready = this.#responses.takeReady();
    if (ready === null) return;
    this.#layer.sendData(ready);
    this.#answered();
  }

  #answered(): void {
    this.#openWindow();
    if (this.#releaseAsked) this.#respondToRelease();
    else if (this.isIdle) this.host.idle(this);
  }

  get #isWindowFull(): boolean {
    return this.outstandingOperations >= this.#peerMayInvoke;
  }

  /** Where there is room again: first the request whose command waits, then whatever the socket has. */
  #openWindow(): void {
    if (this.#isWindowFull) return;
    const parked = this.#parked;
    this.#parked = null;
    if (parked) this.#begin(parked.context, parked.command);
    this.#layer.release(Hold.window);
  }

  #abortStreams(reason: string): void {
    for (const operation of this.#streams.values()) operation.abort(reason);
    this.#streams.clear();
  }

  #respondToRelease(): void {
    if (this.outstandingOperations > 0 || this.state !== 'Sta8') return;
    this.#watchdog.stop();
    this.#layer.respondToRelease();
    this.host.released(this);
  }
}
