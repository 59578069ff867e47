// The answers of one operation that has many: pending ones and the final one, in order, as fast as the peer takes them. What is
// produced in one turn of the event loop leaves in one write, up to 32 KiB; more than the socket takes is never held.
import { encodeDataPdus } from '../ul/pdu-writer.js';
import type { CommandSet } from './command-set.js';
import type { DataSender } from './message-writer.js';
import { encodePendingResponse, encodeResponse, type ResponseExtras } from './response.js';
import type { SubOperations } from './retrieve-service.js';
import { DimseStatus } from './status.js';

const GATHERED_BYTES = 32 * 1024;

/** An operation whose answers stream, as its association sees it. */
export interface StreamedOperation {
  /** May take very long, or invokes operations of its own: a cancel, an abort and their answers must get through, whatever else is asked for. */
  readonly isLong?: boolean;
  /** The peer sent C-CANCEL-RQ for it: its final answer is FE00. */
  cancel(): void;
  /** The association has ended, or the peer leaves: there are no more answers. */
  abort(reason: string): void;
}

/** The answer that nothing may follow. */
export interface FinalResponse extends Pick<ResponseExtras, 'subOperations'> {
  readonly status: number;
  readonly errorComment?: string;
}

export class AnswerStream {
  readonly #pendingCommands = new Map<number, Buffer>();
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #soon: NodeJS.Immediate | null = null;
  #drained: Promise<void> | null = null;
  #closed = false;

  constructor(
    private readonly sender: DataSender,
    private readonly contextId: number,
    private readonly peerMaxPduBytes: number,
    private readonly request: CommandSet,
    private readonly onFinished: () => void,
  ) {}

  /** A promise means: make no more until it settles. */
  pending(status: number, identifier: Buffer): Promise<void> | null {
    if (this.#closed) return null;
    this.#gather(this.#pendingCommand(status));
    this.#gather(encodeDataPdus(identifier, this.contextId, this.peerMaxPduBytes, 0));
    return this.#flushSoon();
  }

  /** A pending answer that has counts and no dataset: at once, before any sub-operation that follows it. Whoever sends many waits in between. */
  progress(subOperations: SubOperations): void {
    if (this.#closed) return;
    const { request, contextId, peerMaxPduBytes } = this;
    this.#gather(encodeResponse(request, contextId, peerMaxPduBytes, DimseStatus.pending, undefined, { subOperations }));
    this.#flush();
  }

  #flushSoon(): Promise<void> | null {
    if (this.#gatheredBytes >= GATHERED_BYTES) return this.#flushAndWait();
    this.#soon ??= setImmediate(() => this.#flush());
    return this.#drained;
  }

  /** Nothing may follow. */
  finish(status: number, errorComment?: string): void {
    this.conclude({ status, ...(errorComment === undefined ? {} : { errorComment }) }, null);
  }

  /** The same with what only some operations have. */
  conclude({ status, errorComment, subOperations }: FinalResponse, dataset: Buffer | null): void {
    if (this.#closed) return;
    const { request, contextId, peerMaxPduBytes } = this;
    const extras = { hasDataset: dataset !== null, ...(subOperations ? { subOperations } : {}) };
    this.#gather(encodeResponse(request, contextId, peerMaxPduBytes, status, errorComment, extras));
    if (dataset) this.#gather(encodeDataPdus(dataset, contextId, peerMaxPduBytes, 0));
    this.#flush();
    this.#closed = true;
    this.onFinished();
  }

  /** What was not sent is forgotten. */
  close(): void {
    this.#closed = true;
    this.#forget();
  }

  /** The same for every answer but for the status, so it is made once for each. */
  #pendingCommand(status: number): Buffer {
    let command = this.#pendingCommands.get(status);
    if (!command) {
      command = encodePendingResponse(this.request, this.contextId, this.peerMaxPduBytes, status);
      this.#pendingCommands.set(status, command);
    }
    return command;
  }

  #gather(bytes: Buffer): void {
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
  }

  #forget(): void {
    if (this.#soon) clearImmediate(this.#soon);
    this.#soon = null;
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#forget();
    if (!this.sender.sendParts([bytes])) this.#drained ??= this.#waitUntilDrained();
  }

  async #waitUntilDrained(): Promise<void> {
    await this.sender.drained();
    this.#drained = null;
  }

  /** Also lets the loop turn: answers that are all in memory would otherwise leave no moment to read a C-CANCEL in. */
  async #flushAndWait(): Promise<void> {
    this.#flush();
    await this.#drained;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
