// Performs what a peer asks for on an association, whichever side opened it: hands each request to its service, and answers in the order of the
// requests, or as they come where an operation has many answers. As many are under way as the peer may invoke; further ones wait.
import { Abort } from '../ul/abort-reason.js';
import type { AcceptedContext } from '../ul/negotiation.js';
import { encodeDataPdus } from '../ul/pdu-writer.js';
import { Hold } from '../ul/upper-layer.js';
import { AnswerStream, type StreamedOperation } from './answer-stream.js';
import { CommandField } from './command-field.js';
import type { CommandSet } from './command-set.js';
import type { DatasetReceiver } from './dataset-receiver.js';
import type { DimseServices } from './dimse-services.js';
import type { MessageOutlet } from './message-outlet.js';
import { dispatchOperation } from './operation-dispatcher.js';
import type { PerformingAssociation } from './performing-association.js';
import { encodeResponse } from './response.js';
import { type PendingResponse, ResponseQueue } from './response-queue.js';
import { DimseStatus } from './status.js';

export class OperationPerformer {
  readonly #responses = new ResponseQueue();
  /** Operations whose answers stream, by message id. */
  readonly #streams = new Map<number, StreamedOperation>();
  /** A request whose command was read while the window was full, because it might have been a C-CANCEL. */
  #parked: { readonly context: AcceptedContext; readonly command: CommandSet } | null = null;
  #window = 1;
  #peerMaxPduBytes = 0;
  #receiver: DatasetReceiver | null = null;
  #isReading = false;

  constructor(
    private readonly services: DimseServices,
    private readonly association: PerformingAssociation,
    private readonly outlet: MessageOutlet,
  ) {}

  /** @param window operations the peer may have unanswered, at least one */
  open(window: number, peerMaxPduBytes: number): void {
    this.#window = window;
    this.#peerMaxPduBytes = peerMaxPduBytes;
  }

  /** Operations received and not yet answered. */
  get outstanding(): number {
    return this.#responses.length + this.#streams.size;
  }
  /** A dataset is coming in. */
  get isReceiving(): boolean {
    return this.#receiver !== null;
  }

  messageBegins(): void {
    // While answers stream a C-CANCEL must get through: then a request is read as far as its command, and waits there.
    if (this.#isWindowFull && this.#streams.size === 0) this.association.pauseReading(Hold.window);
  }

  request(context: AcceptedContext, command: CommandSet): void {
    if (command.commandField === CommandField.cCancelRq && !command.hasDataset) return this.#streams.get(command.messageIdRespondedTo)?.cancel();
    if (command.messageId < 0) return this.association.fault(Abort.invalidPduParameter, 'request without a message id');
    if (!this.#isWindowFull || this.#isLong) return this.#begin(context, command);
    this.#parked = { context, command };
    this.association.pauseReading(Hold.window);
  }

  data(bytes: Buffer): void {
    const written = this.#receiver?.data(bytes);
    if (written === undefined) return;
    this.association.pauseReading(Hold.sink);
    void written.then(() => this.association.resumeReading(Hold.sink));
  }

  dataEnd(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.end();
  }

  /** Answers that are ready while something is being read leave together, at the end of it. */
  readBegins(): void {
    this.#isReading = true;
  }
  readEnd(): void {
    this.#isReading = false;
    this.#flush();
  }

  /** The association has ended. */
  abort(reason: string): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.abort(reason);
    this.#parked = null;
    this.abortStreams(reason);
  }

  abortStreams(reason: string): void {
    for (const operation of this.#streams.values()) operation.abort(reason);
    this.#streams.clear();
  }

  #begin(context: AcceptedContext, command: CommandSet): void {
    const refusal = this.#refusalOf(command);
    const pending = this.#responses.add(command.messageId);
    this.#receiver = dispatchOperation(this.services, this.association, context, command, refusal, {
      answer: (status, errorComment, reply) => this.#answer(pending, this.#encode(context, command, status, errorComment, reply)),
      refused: (refused, status) => this.association.operationRefused(refused.commandField, status),
      failed: (error) => this.association.operationFailed(error),
      stream: (operation) => this.#stream(operation, context, command),
    });
  }

  #refusalOf({ messageId }: CommandSet): number | null {
    if (this.#responses.has(messageId) || this.#streams.has(messageId)) return DimseStatus.duplicateInvocation;
    return this.#isWindowFull ? DimseStatus.resourceLimitation : null;
  }

  /** Then no request waits, which would keep what is behind it from being read: what is more than the window is refused. */
  get #isLong(): boolean {
    for (const operation of this.#streams.values()) if (operation.isLong) return true;
    return false;
  }

  #stream(operation: StreamedOperation, context: AcceptedContext, command: CommandSet): AnswerStream {
    this.#responses.withdrawLast();
    this.#streams.set(command.messageId, operation);
    return new AnswerStream(this.outlet, context.id, this.#peerMaxPduBytes, command, () => {
      this.#streams.delete(command.messageId);
      this.#answered();
    });
  }

  #encode(context: AcceptedContext, command: CommandSet, status: number, errorComment?: string, reply?: Buffer): Buffer {
    if (!reply) return encodeResponse(command, context.id, this.#peerMaxPduBytes, status, errorComment);
    const response = encodeResponse(command, context.id, this.#peerMaxPduBytes, status, errorComment, { hasDataset: true });
    return Buffer.concat([response, encodeDataPdus(reply, context.id, this.#peerMaxPduBytes, 0)]);
  }

  #answer(pending: PendingResponse, response: Buffer): void {
    pending.response = response;
    if (!this.#isReading) this.#flush();
  }

  #flush(): void {
    const ready = this.#responses.takeReady();
    if (ready === null) return;
    this.outlet.sendParts([ready]);
    this.#answered();
  }

  #answered(): void {
    this.#openWindow();
    this.association.answered();
  }

  get #isWindowFull(): boolean {
    return this.outstanding >= this.#window;
  }

  /** Where there is room again: first the request whose command waits, then whatever the socket has. */
  #openWindow(): void {
    if (this.#isWindowFull) return;
    const parked = this.#parked;
    this.#parked = null;
    if (parked) this.#begin(parked.context, parked.command);
    this.association.resumeReading(Hold.window);
  }
}
