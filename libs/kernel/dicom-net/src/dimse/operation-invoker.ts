// Invokes operations on an association, whichever side opened it. They may be begun concurrently: requests are sent one after the other, and as
// many may be unanswered as the window allows. Every operation settles: by its answer, or by the association's end.
import { deferred } from '../deferred.js';
import { Abort, type AssociationAbort } from '../ul/abort-reason.js';
import { ByteGatherer } from '../ul/byte-gatherer.js';
import type { ActionOperation } from './action-service.js';
import type { CommandSet } from './command-set.js';
import type { EventReportOperation } from './event-report-service.js';
import type { MessageOutlet } from './message-outlet.js';
import { MessageWriter, UnsentMessageError } from './message-writer.js';
import type { NormalizedOutcome } from './normalized-outcome.js';
import { type OutstandingOperation, OutstandingOperations } from './outstanding-operations.js';
import { encodeActionRequest, encodeCancelRequest, encodeEventReportRequest, encodeStoreRequest } from './request.js';
import { statusCategory } from './status.js';
import type { StoreOperation } from './store-operation.js';
import type { StoreOutcome } from './store-service.js';

/** What a final answer may carry. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

export interface InvokingAssociation {
  fault(abort: AssociationAbort, detail: string): void;
  /** A message that has begun to leave cannot be taken back. */
  abort(detail: string): void;
  /** A request has left, or an answer has come: what is owed has changed. */
  progressed(): void;
}

export interface Invocation {
  readonly contextId: number;
  /** As P-DATA-TF PDUs. */
  command(messageId: number, peerMaxPduBytes: number): Buffer;
  readonly dataset?: Buffer | AsyncIterable<Buffer>;
  /** Aborted while it waits for its turn: nothing is sent, and its reason is the error. */
  readonly signal?: AbortSignal;
}

export interface FinalAnswer {
  readonly command: CommandSet;
  /** Empty where none came. */
  readonly dataset: Buffer;
}

export class OperationInvoker {
  #operations = new OutstandingOperations<OutstandingOperation>(1);
  #peerMaxPduBytes = 0;
  /** Whose pending answer comes in. */
  #receiver: OutstandingOperation | null = null;
  /** Whose dataset comes in. */
  #final: CommandSet | null = null;
  readonly #dataset = new ByteGatherer();
  #unsent = 0;
  #failure: Error | null = null;

  constructor(private readonly outlet: MessageOutlet, private readonly association: InvokingAssociation) {}

  /** @param window operations that may be unanswered; 0 is no limit */
  open(window: number, peerMaxPduBytes: number): void {
    this.#operations = new OutstandingOperations(window);
    this.#peerMaxPduBytes = peerMaxPduBytes;
  }

  get outstanding(): number {
    return this.#operations.size;
  }

  /** Everything was sent, and something is not answered. */
  get isOwed(): boolean {
    return this.#operations.size > 0 && this.#unsent === 0;
  }

  /** Sends the request as soon as the window allows. Gives its message id. */
  async begin(operation: OutstandingOperation, invocation: Invocation): Promise<number> {
    await this.#operations.reserve();
    if (this.#failure) throw this.#failure;
    const messageId = this.#operations.add(operation);
    this.#unsent++;
    void this.#send(messageId, invocation);
    return messageId;
  }

  async invoke(invocation: Invocation): Promise<FinalAnswer> {
    const { promise, resolve, reject } = deferred<FinalAnswer>();
    await this.begin({ resolve: (command, dataset) => resolve({ command, dataset }), reject }, invocation);
    return promise;
  }

  /** A dataset that fails before any of it has left fails alone; later it ends the association. */
  async store(contextId: number, operation: StoreOperation, signal?: AbortSignal): Promise<StoreOutcome> {
    const { command } = await this.invoke({
      contextId,
      command: (messageId, peerMaxPduBytes) => encodeStoreRequest(contextId, peerMaxPduBytes, messageId, operation),
      dataset: operation.dataset,
      ...(signal ? { signal } : {}),
    });
    return { status: command.status, ...(command.errorComment ? { errorComment: command.errorComment } : {}) };
  }

  /** N-EVENT-REPORT, by us as SCP. */
  report(contextId: number, operation: EventReportOperation): Promise<NormalizedOutcome> {
    return this.#invokeNormalized({
      contextId,
      command: (messageId, peerMaxPduBytes) => encodeEventReportRequest(contextId, peerMaxPduBytes, messageId, operation),
      ...(operation.information ? { dataset: operation.information } : {}),
    });
  }

  /** N-ACTION, by us as SCU. */
  action(contextId: number, operation: ActionOperation): Promise<NormalizedOutcome> {
    return this.#invokeNormalized({
      contextId,
      command: (messageId, peerMaxPduBytes) => encodeActionRequest(contextId, peerMaxPduBytes, messageId, operation),
      ...(operation.information ? { dataset: operation.information } : {}),
    });
  }

  async #invokeNormalized(invocation: Invocation): Promise<NormalizedOutcome> {
    const { command: { status, errorComment, hasDataset }, dataset: reply } = await this.invoke(invocation);
    return { status, ...(errorComment ? { errorComment } : {}), ...(hasDataset ? { reply } : {}) };
  }

  /** Between messages, never within one; nothing is sent for an operation that has been answered meanwhile. */
  cancel(messageId: number, contextId: number): void {
    void this.outlet.write((sender) => {
      if (this.#operations.get(messageId)) sender.sendParts([encodeCancelRequest(contextId, this.#peerMaxPduBytes, messageId)]);
    });
  }

  response(answer: CommandSet): void {
    const operation = this.#operations.get(answer.messageIdRespondedTo);
    if (!operation) return this.association.fault(Abort.unexpectedPduParameter, 'a response to nothing we asked');
    if (operation.pending && statusCategory(answer.status) === 'pending') {
      this.#receiver = operation;
      operation.pending(answer);
      return this.association.progressed();
    }
    if (answer.hasDataset) this.#final = answer;
    else this.#settle(answer, NOTHING);
  }

  data(bytes: Buffer): void {
    if (!this.#final) return this.#receiver?.data?.(bytes);
    if (this.#dataset.sizeBytes + bytes.length > MAX_ANSWER_BYTES) return this.association.abort('the peer sent an answer that is too long');
    this.#dataset.add(bytes);
  }

  dataEnd(): void {
    const final = this.#final;
    this.#final = null;
    if (final) return this.#settle(final, this.#dataset.take());
    this.#receiver?.dataEnd?.();
    this.#receiver = null;
  }

  /** Nothing is answered any more. */
  end(error: Error): void {
    this.#failure ??= error;
    this.#dataset.clear();
    for (const operation of this.#operations.takeAll()) operation.reject(this.#failure);
  }

  #settle(answer: CommandSet, dataset: Buffer): void {
    this.#operations.take(answer.messageIdRespondedTo)?.resolve(answer, dataset);
    this.association.progressed();
  }

  async #send(messageId: number, invocation: Invocation): Promise<void> {
    try {
      await this.outlet.write((sender) => {
        if (this.#failure) return;
        if (invocation.signal?.aborted) throw new UnsentMessageError('aborted before it was sent', { cause: invocation.signal.reason });
        const command = invocation.command(messageId, this.#peerMaxPduBytes);
        if (invocation.dataset === undefined) return void sender.sendParts([command]);
        return new MessageWriter(sender, invocation.contextId, this.#peerMaxPduBytes).send(command, invocation.dataset);
      });
      this.#unsent--;
      this.association.progressed();
    } catch (error) {
      this.#unsent--;
      this.#onSendFailed(messageId, error);
    }
  }

  #onSendFailed(messageId: number, error: unknown): void {
    const isUnsent = error instanceof UnsentMessageError;
    this.#operations.take(messageId)?.reject((isUnsent ? error.cause : error) as Error);
    if (this.#failure) return;
    if (isUnsent) this.association.progressed();
    else this.association.abort('the dataset could not be read');
  }
}
