// A DICOM peer that does exactly what a test tells it, byte by byte: sends anything, waits for PDUs, vanishes.
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ReceivedPdu {
  readonly type: number;
  readonly body: Buffer;
}

export interface ReceivedResponse {
  readonly contextId: number;
  readonly commandField: number;
  readonly messageId: number;
  readonly status: number;
  readonly hasDataset: boolean;
  readonly errorComment: string;
  readonly sopInstanceUid: string;
}

export class ScriptedPeer {
  readonly #received: ReceivedPdu[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(readonly transport: Duplex) {
    transport.on('data', (chunk: Buffer) => this.#take(chunk));
    transport.on('error', () => this.#close());
    transport.on('close', () => this.#close());
    transport.on('end', () => this.#close());
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<ScriptedPeer> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new ScriptedPeer(socket);
  }

  send(...bytes: readonly Buffer[]): this {
    if (!this.transport.destroyed) this.transport.write(Buffer.concat(bytes));
    return this;
  }

  /** One write per byte. */
  async sendByteByByte(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at++) {
      await new Promise<void>((resolve) => this.transport.write(bytes.subarray(at, at + 1), () => resolve()));
    }
  }

  /** The next PDU, whatever it is; rejects when the transport closed before one came. */
  async receive(): Promise<ReceivedPdu> {
    for (;;) {
      const next = this.#received.shift();
      if (next) return next;
      if (this.#closed) throw new Error('the connection closed before a PDU came');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async expect(type: number): Promise<Buffer> {
    const pdu = await this.receive();
    if (pdu.type !== type) throw new Error(`expected PDU type ${type}, got ${pdu.type}: ${pdu.body.toString('hex')}`);
    return pdu.body;
  }

  /** Sends the request and waits for the acceptance. */
  async associate(request: Buffer): Promise<Buffer> {
    return this.send(request).expect(2);
  }

  /** The next DIMSE response, from as many fragments as it takes. */
  async response(): Promise<ReceivedResponse> {
    const parts: Buffer[] = [];
    for (;;) {
      const body = await this.expect(4);
      for (let at = 0; at < body.length; ) {
        const length = body.readUInt32BE(at);
        parts.push(body.subarray(at + 6, at + 4 + length));
        if (((body[at + 5] ?? 0) & 3) === 3) return parseResponse(body[at + 4] ?? 0, Buffer.concat(parts));
        at += 4 + length;
      }
    }
  }

  /** The next C-FIND response with its identifier; null where none follows. Both come in PDUs of their own. */
  async findResponse(): Promise<ReceivedResponse & { readonly identifier: Buffer | null }> {
    const response = await this.response();
    if (!response.hasDataset) return { ...response, identifier: null };
    const parts: Buffer[] = [];
    for (let isLast = false; !isLast; ) {
      const body = await this.expect(4);
      parts.push(body.subarray(6));
      isLast = ((body[5] ?? 0) & 2) !== 0;
    }
    return { ...response, identifier: Buffer.concat(parts) };
  }

  async closed(): Promise<void> {
    while (!this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** PDUs that came and were not asked for. */
  get unread(): readonly ReceivedPdu[] {
    return this.#received;
  }

  /** Vanishes with a TCP reset where the transport can. */
  vanish(): void {
    const socket = this.transport as Partial<Socket>;
    if (socket.resetAndDestroy) socket.resetAndDestroy();
    else this.transport.destroy();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 6) {
      const end = 6 + this.#bytes.readUInt32BE(2);
      if (this.#bytes.length < end) break;
      this.#received.push({ type: this.#bytes[0] ?? 0, body: this.#bytes.subarray(6, end) });
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#wake();
  }

  #close(): void {
    this.#closed = true;
    this.#wake();
  }
}

function parseResponse(contextId: number, command: Buffer): ReceivedResponse {
  const elements = new Map<number, Buffer>();
  for (let at = 0; at + 8 <= command.length; ) {
    const end = at + 8 + command.readUInt32LE(at + 4);
    elements.set(command.readUInt16LE(at + 2), command.subarray(at + 8, end));
    at = end;
  }
  const short = (element: number): number => elements.get(element)?.readUInt16LE(0) ?? -1;
  const text = (element: number): string => elements.get(element)?.toString('latin1').replace(/[\0 ]+$/, '') ?? '';
  return {
    contextId, commandField: short(0x0100), messageId: short(0x0120), status: short(0x0900),
    hasDataset: short(0x0800) !== 0x0101, errorComment: text(0x0902), sopInstanceUid: text(0x1000),
  };
}
