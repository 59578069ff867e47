// Sends a command and its dataset as P-DATA-TF PDUs (PS3.8 Annex E.2). Holds at most one PDU's worth of the dataset, waits
// where the socket is full, and hands each PDU over in one piece.
import { LAST_FRAGMENT } from '../ul/pdu.js';
import { DATA_PDU_OVERHEAD_BYTES, maxPayloadBytes, writeDataHeader } from '../ul/pdu-writer.js';

export interface DataSender {
  /** False once the association has ended. */
  readonly canSend: boolean;
  /** False: wait for `drained`. */
  sendParts(parts: readonly Buffer[]): boolean;
  drained(): Promise<void>;
}

/** The dataset failed before anything of the message had left: `cause` says how. The association may go on. */
export class UnsentMessageError extends Error {
  override readonly name = 'UnsentMessageError';
}

/** A command and this much of its dataset leave together: a small object is one system call. */
const JOIN_BYTES = 64 * 1024;

export class MessageWriter {
  readonly #room: number;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;
  /** Finished PDUs that may leave with the next ones. */
  #ready: Buffer[] = [];
  #readyBytes = 0;
  #hasLeft = false;

  constructor(private readonly sender: DataSender, private readonly contextId: number, peerMaxPduBytes: number) {
    this.#room = maxPayloadBytes(peerMaxPduBytes);
  }

  /** @throws UnsentMessageError */
  async send(command: Buffer, dataset: Buffer | AsyncIterable<Buffer>): Promise<void> {
    this.#push(command);
    try {
      if (Buffer.isBuffer(dataset)) await this.#add(dataset);
      else for await (const chunk of dataset) await this.#add(chunk);
    } catch (error) {
      throw this.#hasLeft ? error : new UnsentMessageError('the dataset could not be read', { cause: error });
    }
    this.#cut(this.#unsentBytes, LAST_FRAGMENT);
    await this.#flush();
  }

  /** The last PDU's worth is held back, since only the end shows which fragment is the last. */
  async #add(chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return;
    this.#unsent.push(chunk);
    this.#unsentBytes += chunk.length;
    while (this.#unsentBytes > this.#room) {
      this.#cut(this.#room, 0);
      if (this.#readyBytes >= JOIN_BYTES) await this.#flush();
    }
  }

  #cut(payloadBytes: number, controlHeader: number): void {
    const header = Buffer.allocUnsafe(DATA_PDU_OVERHEAD_BYTES);
    writeDataHeader(header, 0, payloadBytes, this.contextId, controlHeader);
    this.#push(header);
    let left = payloadBytes;
    let used = 0;
    while (left > 0) {
      const first = this.#unsent[used] as Buffer;
      if (first.length <= left) {
        this.#push(first);
        used++;
        left -= first.length;
      } else {
        this.#push(first.subarray(0, left));
        this.#unsent[used] = first.subarray(left);
        left = 0;
      }
    }
    this.#unsent.splice(0, used);
    this.#unsentBytes -= payloadBytes;
  }

  #push(bytes: Buffer): void {
    this.#ready.push(bytes);
    this.#readyBytes += bytes.length;
  }

  async #flush(): Promise<void> {
    const parts = this.#ready;
    this.#ready = [];
    this.#readyBytes = 0;
    this.#hasLeft = true;
    if (!this.sender.canSend) throw new Error('the association ended before the message was sent');
    if (!this.sender.sendParts(parts)) await this.sender.drained();
  }
}
