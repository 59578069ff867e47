// Puts DIMSE messages together from P-DATA fragments (PS3.7 §6.3, PS3.8 Annex E): the command is gathered, the dataset is
// handed on as it comes. Every order of fragments that the standard does not allow is a fault with an abort of its own.
import { Abort, type AssociationAbort } from '../ul/abort-reason.js';
import { ByteGatherer } from '../ul/byte-gatherer.js';
import { COMMAND_FRAGMENT, LAST_FRAGMENT } from '../ul/pdu.js';
import { type CommandSet, decodeCommandSet, MalformedCommandError } from './command-set.js';

export interface MessageHandler {
  isAccepted(contextId: number): boolean;
  /** The first fragment of a command is about to come. */
  messageBegins(): void;
  /** If it says so, its dataset follows. */
  command(contextId: number, command: CommandSet): void;
  data(bytes: Buffer): void;
  dataEnd(): void;
  fault(abort: AssociationAbort, detail: string): void;
}

export class MessageReader {
  /** Grows with every message begun. */
  messagesBegun = 0;
  #contextId = 0;
  #isCommand = false;
  #isLast = false;
  #gathering = false;
  #awaitingData = false;
  readonly #command = new ByteGatherer();

  constructor(private readonly handler: MessageHandler, private readonly maxCommandBytes: number) {}

  get midMessage(): boolean {
    return this.#gathering || this.#awaitingData;
  }

  value(contextId: number, controlHeader: number): void {
    this.#isCommand = (controlHeader & COMMAND_FRAGMENT) !== 0;
    this.#isLast = (controlHeader & LAST_FRAGMENT) !== 0;
    if (this.midMessage) {
      if (contextId !== this.#contextId) this.#fault(Abort.unexpectedPduParameter, 'fragment of another presentation context inside a message');
      else if (this.#isCommand && this.#awaitingData) this.#fault(Abort.unexpectedPduParameter, 'command while a dataset is pending');
      else if (!this.#isCommand && this.#gathering) this.#fault(Abort.unexpectedPduParameter, 'dataset inside a command');
      return;
    }
    if (!this.handler.isAccepted(contextId)) return this.#fault(Abort.invalidPduParameter, 'presentation context was not accepted');
    if (!this.#isCommand) return this.#fault(Abort.unexpectedPduParameter, 'dataset without a command');
    this.#contextId = contextId;
    this.#gathering = true;
    this.messagesBegun++;
    this.handler.messageBegins();
  }

  fragment(bytes: Buffer): void {
    if (!this.#isCommand) return this.handler.data(bytes);
    this.#command.add(bytes);
    if (this.#command.sizeBytes > this.maxCommandBytes) this.#fault(Abort.invalidPduParameter, 'command set too long');
  }

  valueEnd(): void {
    if (!this.#isLast) return;
    if (this.#isCommand) return this.#endOfCommand();
    this.#awaitingData = false;
    this.handler.dataEnd();
  }

  #endOfCommand(): void {
    const bytes = this.#command.take();
    this.#gathering = false;
    let command: CommandSet;
    try {
      command = decodeCommandSet(bytes);
    } catch (error) {
      if (!(error instanceof MalformedCommandError)) throw error;
      return this.#fault(Abort.invalidPduParameter, error.message);
    }
    this.#awaitingData = command.hasDataset;
    this.handler.command(this.#contextId, command);
  }

  #fault(abort: AssociationAbort, detail: string): void {
    this.#command.clear();
    this.handler.fault(abort, detail);
  }
}
