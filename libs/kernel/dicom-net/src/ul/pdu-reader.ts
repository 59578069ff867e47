// Cuts a byte stream into PDUs as it arrives, in chunks of any size (PS3.8 §9.3). Nothing is allocated by an announced
// length: P-DATA fragments are handed on as slices of the chunk, control PDUs gather only bytes that really came, up to a cap.
// A handler may stop the reader (back-pressure); the bytes not yet looked at wait here until `resume`.
import { Abort, type AssociationAbort } from './abort-reason.js';
import { ByteGatherer } from './byte-gatherer.js';
import { PDU_HEADER_BYTES, PDV_HEADER_BYTES, PduType } from './pdu.js';
import { READ_BUFFER_BYTES } from './shared-read-socket.js';

export interface PduHandler {
  /** A whole control PDU (all types but P-DATA), body without the header. */
  control(type: number, body: Buffer): void;
  /** The header of a P-DATA-TF. */
  dataPdu(): void;
  /** Header of a presentation data value; its bytes follow as fragments, then `valueEnd`. */
  value(contextId: number, controlHeader: number): void;
  fragment(bytes: Buffer): void;
  valueEnd(): void;
  /** The stream can no longer be understood; the reader takes nothing more. */
  invalid(abort: AssociationAbort, detail: string): void;
}

export interface PduReaderLimits {
  readonly maxPduBytes: number;
  readonly maxAssociateBytes: number;
}

const enum Expect {
  pduHeader,
  control,
  pdvHeader,
  fragment,
}

/** As large as the largest chunk that a connection gives; of all readers together. */
const SPARE_BYTES = READ_BUFFER_BYTES;
const MAX_SPARES = 4;
const spares: Buffer[] = [];

export class PduReader {
  /** Bytes of a PDU are outstanding. */
  midPdu = false;
  #expect = Expect.pduHeader;
  #type = 0;
  /** Bytes left of the PDU. */
  #left = 0;
  /** Bytes left of the presentation data value. */
  #valueLeft = 0;
  readonly #header = Buffer.alloc(6);
  #headerBytes = 0;
  readonly #control = new ByteGatherer();
  #waiting: Buffer | null = null;
  /** What the waiting bytes stand in, when it is one of the spare ones. */
  #memory: Buffer | null = null;
  #stopped = false;
  #dead = false;

  constructor(private readonly handler: PduHandler, private readonly limits: PduReaderLimits) {}

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Bytes that arrived and wait because a handler stopped the reader. */
  get waitingBytes(): number {
    return this.#waiting?.length ?? 0;
  }

  /** To be called by a handler: what follows waits until `resume`. */
  stop(): void {
    this.#stopped = true;
  }

  resume(): void {
    this.#stopped = false;
    const waiting = this.#waiting;
    this.#waiting = null;
    // A handler that stops and goes on within one fragment: the memory is still being read, further up.
    if (!waiting) return;
    this.#read(waiting, true);
    if (!this.#waiting) this.#giveBack();
  }

  /** Takes nothing more, for good. */
  end(): void {
    this.#dead = true;
    this.#waiting = null;
    this.#giveBack();
    this.#control.clear();
    this.midPdu = false;
  }

  /** The memory of the chunk may be used again as soon as this returns; so may that of the fragments handed on. */
  push(chunk: Buffer): void {
    if (this.#dead) return;
    if (this.#stopped) this.#waiting = this.#waiting ? Buffer.concat([this.#waiting, chunk]) : Buffer.from(chunk);
    else this.#read(chunk, false);
  }

  /** Who stops at each chunk of a large object would otherwise leave 64 MiB of them to the collector before it comes. */
  #keep(rest: Buffer): Buffer {
    if (rest.length > SPARE_BYTES) return Buffer.from(rest);
    this.#memory = spares.pop() ?? Buffer.allocUnsafeSlow(SPARE_BYTES);
    rest.copy(this.#memory);
    return this.#memory.subarray(0, rest.length);
  }

  #giveBack(): void {
    if (this.#memory && spares.length < MAX_SPARES) spares.push(this.#memory);
    this.#memory = null;
  }

  /** @param isOurs the memory is not used again by others */
  #read(chunk: Buffer, isOurs: boolean): void {
    const size = chunk.length;
    let at = 0;
    while (at < size && !this.#dead) {
      if (this.#stopped) {
        const rest = chunk.subarray(at);
        this.#waiting = isOurs ? rest : this.#keep(rest);
        return;
      }
      switch (this.#expect) {
        case Expect.fragment: {
          const end = Math.min(size, at + this.#valueLeft);
          const part = at === 0 && end === size ? chunk : chunk.subarray(at, end);
          this.#valueLeft -= end - at;
          at = end;
          this.handler.fragment(part);
          if (this.#valueLeft === 0) this.#endOfValue();
          break;
        }
        case Expect.pdvHeader:
          if (this.#headerBytes === 0 && size - at >= PDV_HEADER_BYTES) {
            this.#pdvHeader(chunk, at);
            at += PDV_HEADER_BYTES;
          } else if ((at = this.#gather(chunk, at)) >= 0 && this.#headerBytes === 0) this.#pdvHeader(this.#header, 0);
          break;
        case Expect.pduHeader:
          this.midPdu = true;
          if (this.#headerBytes === 0 && size - at >= PDU_HEADER_BYTES) {
            this.#pduHeader(chunk, at);
            at += PDU_HEADER_BYTES;
          } else if ((at = this.#gather(chunk, at)) >= 0 && this.#headerBytes === 0) this.#pduHeader(this.#header, 0);
          break;
        case Expect.control: {
          const end = Math.min(size, at + this.#left);
          this.#control.add(chunk.subarray(at, end));
          this.#left -= end - at;
          at = end;
          if (this.#left === 0) this.#endOfControl();
          break;
        }
      }
    }
  }

  /** Both headers are six bytes; gathers one that is split over chunks. `#headerBytes` is 0 again when it is complete. */
  #gather(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + 6 - this.#headerBytes);
    chunk.copy(this.#header, this.#headerBytes, at, end);
    this.#headerBytes = (this.#headerBytes + end - at) % 6;
    return end;
  }

  #pduHeader(bytes: Buffer, at: number): void {
    this.#type = bytes[at] as number;
    const length = bytes.readUInt32BE(at + 2);
    this.#left = length;
    if (this.#type === PduType.pDataTf) {
      if (length > this.limits.maxPduBytes) return this.#fail(Abort.invalidPduParameter, 'P-DATA PDU longer than negotiated');
      if (length < PDV_HEADER_BYTES) return this.#fail(Abort.invalidPduParameter, 'P-DATA PDU without a presentation data value');
      this.#expect = Expect.pdvHeader;
      this.handler.dataPdu();
      return;
    }
    if (this.#type < PduType.associateRq || this.#type > PduType.abort) return this.#fail(Abort.unrecognizedPdu, 'unknown PDU type');
    const associate = this.#type === PduType.associateRq || this.#type === PduType.associateAc;
    if (associate ? length < 68 || length > this.limits.maxAssociateBytes : length !== 4) {
      return this.#fail(Abort.invalidPduParameter, 'PDU length out of range');
    }
    this.#expect = Expect.control;
  }

  #pdvHeader(bytes: Buffer, at: number): void {
    const length = bytes.readUInt32BE(at);
    if (length < 2) return this.#fail(Abort.invalidPduParameter, 'presentation data value shorter than its header');
    if (length + 4 > this.#left) return this.#fail(Abort.invalidPduParameter, 'presentation data value longer than its PDU');
    this.#left -= length + 4;
    this.#valueLeft = length - 2;
    this.#expect = Expect.fragment;
    this.handler.value(bytes[at + 4] as number, bytes[at + 5] as number);
    if (this.#valueLeft === 0) this.#endOfValue();
  }

  #endOfValue(): void {
    if (this.#dead) return;
    if (this.#left === 0) {
      this.#expect = Expect.pduHeader;
      this.midPdu = false;
    } else if (this.#left < PDV_HEADER_BYTES) return this.#fail(Abort.invalidPduParameter, 'P-DATA PDU with trailing bytes');
    else this.#expect = Expect.pdvHeader;
    this.handler.valueEnd();
  }

  #endOfControl(): void {
    const body = this.#control.take();
    this.#expect = Expect.pduHeader;
    this.midPdu = false;
    this.handler.control(this.#type, body);
  }

  #fail(abort: AssociationAbort, detail: string): void {
    this.end();
    this.handler.invalid(abort, detail);
  }
}
