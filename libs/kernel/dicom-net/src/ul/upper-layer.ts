// One connection: runs the state machine of PS3.8 §9.2 over a socket and performs its actions. Shared by both roles.
// The user learns of the end exactly once (`ended`), and of the closed transport exactly once (`closed`).
import type { Duplex } from 'node:stream';
import { Abort, type AssociationAbort } from './abort-reason.js';
import { ArtimTimer } from './artim-timer.js';
import { type AssociationAnswer, decodeAssociateAc, decodeAssociateRq, PROTOCOL_VERSION } from './associate-pdu.js';
import { MalformedPduError } from './associate-items.js';
import type { BegunConnection } from './association-handover.js';
import type { AssociationRequest } from './association-request.js';
import { PduType } from './pdu.js';
import { type PduHandler, PduReader } from './pdu-reader.js';
import { encodeAbort, encodePdu, encodeReject, encodeReleaseRp, encodeReleaseRq } from './pdu-writer.js';
import { type AssociationRejection, Rejection } from './reject-reason.js';
import { isPlainTcp, readChunks, stopReading } from './shared-read-socket.js';
import { type Effect, type EventName, Evt, type Role, StateMachine, type StateName } from './state-machine.js';
import type { TimerSource } from './timer-source.js';

export interface UpperLayerLimits {
  readonly maxPduBytes: number;
  readonly maxAssociateRequestBytes: number;
  readonly maxPresentationContexts: number;
  readonly artimMs: number;
  readonly abortLingerMs: number;
}

export interface Ending {
  readonly by: 'us' | 'peer' | 'transport';
  readonly abort: AssociationAbort;
  readonly detail: string;
}

/** Indications to the service user, plus the fragments of P-DATA as they stream in. */
export interface UpperLayerUser {
  associateRequested(request: AssociationRequest): void;
  associateAccepted(answer: AssociationAnswer): void;
  associateRejected(rejection: AssociationRejection): void;
  releaseRequested(): void;
  releaseConfirmed(): void;
  value(contextId: number, controlHeader: number): void;
  fragment(bytes: Buffer): void;
  valueEnd(): void;
  /** All that could be read from one socket read was handed on: the moment to write what gathered. */
  readEnd(): void;
  received(bytes: number): void;
  ended(ending: Ending): void;
  closed(): void;
}

/** Why reading is held: each holder lets go for itself. */
export const Hold = { sink: 1, window: 2, output: 4, reader: 8 } as const;
export type HoldReason = (typeof Hold)[keyof typeof Hold];

/** A peer that does not take our answers is not read from above this. */
const MAX_UNSENT_BYTES = 256 * 1024;

interface EventPayload {
  readonly pdu?: Buffer;
  readonly indicate?: () => void;
  readonly acceptable?: boolean;
  readonly ending?: Ending;
}

export class UpperLayer implements PduHandler {
  readonly #machine: StateMachine;
  readonly #artim: ArtimTimer;
  readonly #reader: PduReader;
  readonly #stopListening: () => void;
  /** Of the A-ASSOCIATE-RQ, while it is not answered. */
  #requestBody: Buffer | null = null;
  #holds = 0;
  #hasEnded = false;
  #socketError = '';

  constructor(
    private readonly transport: Duplex,
    role: Role,
    private readonly user: UpperLayerUser,
    private readonly limits: UpperLayerLimits,
    timers: TimerSource,
  ) {
    this.#machine = new StateMachine(role);
    this.#artim = new ArtimTimer(timers, () => this.#onArtimExpired());
    this.#reader = new PduReader(this, { maxPduBytes: limits.maxPduBytes, maxAssociateBytes: limits.maxAssociateRequestBytes });
    if ('setNoDelay' in transport && typeof transport.setNoDelay === 'function') transport.setNoDelay(true);
    this.#stopListening = this.#listen(transport);
  }

  #listen(transport: Duplex): () => void {
    const drained = (): void => this.release(Hold.output);
    const closed = (): void => this.#onTransportClosed();
    transport.on('drain', drained).on('end', closed).on('close', closed);
    // For good: an error that nobody listens to would end the process.
    transport.on('error', (error: Error) => (this.#socketError = error.message));
    const stopReadingChunks = readChunks(transport, (chunk) => this.receive(chunk));
    return () => {
      transport.off('drain', drained).off('end', closed).off('close', closed);
      stopReadingChunks();
    };
  }

  get state(): StateName {
    return this.#machine.state;
  }
  get midPdu(): boolean {
    return this.#reader.midPdu;
  }
  get held(): boolean {
    return this.#holds !== 0;
  }

  get canSend(): boolean {
    return this.#machine.allows(Evt.pDataLocal);
  }

  /** A connection came in: wait for its request (Evt5). */
  acceptTransport(): void {
    this.#fire(Evt.transportIndication);
  }
  /** Our connection stands: send the request (Evt1 and Evt2; connecting was the caller's). */
  requestAssociation(request: Buffer): void {
    this.#fire(Evt.associateRequestLocal);
    this.#fire(Evt.transportConnected, { pdu: request });
  }
  accept(pdu: Buffer): void {
    this.#requestBody = null;
    this.#fire(Evt.acceptLocal, { pdu });
  }
  reject(rejection: AssociationRejection): void {
    this.#fire(Evt.rejectLocal, { pdu: encodeReject(rejection) });
  }
  requestRelease(): void {
    this.#fire(Evt.releaseRequestLocal, { pdu: encodeReleaseRq() });
  }
  respondToRelease(): void {
    this.#fire(Evt.releaseResponseLocal, { pdu: encodeReleaseRp() });
  }

  /** Sends P-DATA-TF PDUs, whole ones only. False means: wait for `drained` before sending much more. */
  sendData(pdus: Buffer): boolean {
    return this.sendParts([pdus]);
  }
  /** The same from several buffers, with one system call. */
  sendParts(parts: readonly Buffer[]): boolean {
    if (!this.canSend) return true;
    this.#machine.fire(Evt.pDataLocal);
    const { transport } = this;
    if (parts.length > 1) transport.cork();
    let roomLeft = true;
    for (const part of parts) roomLeft = transport.write(part);
    if (parts.length > 1) transport.uncork();
    if (transport.writableLength > MAX_UNSENT_BYTES && this.#machine.role === 'acceptor') this.hold(Hold.output);
    return roomLeft;
  }

  /** Resolves when what was written has left for the kernel, or the transport is gone. */
  drained(): Promise<void> {
    const { transport } = this;
    if (!transport.writableNeedDrain || transport.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        transport.off('drain', done);
        transport.off('close', done);
        resolve();
      };
      transport.on('drain', done);
      transport.on('close', done);
    });
  }

  abort(abort: AssociationAbort, detail: string): void {
    if (this.#machine.allows(Evt.abortLocal)) this.#fire(Evt.abortLocal, { ending: { by: 'us', abort, detail } });
    else this.transport.destroy();
  }

  /**
   * The connection with the request that was read from it, for another process; null when the peer has gone, or sent more than a request, which
   * is the end of it. Nothing is told from now on.
   * @throws TypeError for a transport that is no plain TCP connection
   */
  letGo(): BegunConnection | null {
    const { transport } = this;
    const body = this.#requestBody;
    if (this.state !== 'Sta3' || !body) return null;
    if (!isPlainTcp(transport)) throw new TypeError('only a plain TCP connection can be handed over');
    if (this.#reader.midPdu || transport.readableLength > 0) {
      this.abort(Abort.unexpectedPdu, 'bytes behind the request, before it was answered');
      return null;
    }
    this.#hasEnded = true;
    this.#requestBody = null;
    this.#reader.end();
    this.#stopListening();
    return { socket: stopReading(transport), head: encodePdu(PduType.associateRq, body) };
  }

  /** Drops the connection without a word. */
  destroy(): void {
    this.transport.destroy();
  }

  hold(reason: HoldReason): void {
    if (this.#holds === 0) {
      this.#reader.stop();
      this.transport.pause();
    }
    this.#holds |= reason;
  }

  release(reason: HoldReason): void {
    if ((this.#holds & reason) === 0) return;
    this.#holds &= ~reason;
    if (this.#holds !== 0 || this.#hasEnded) return;
    this.#reader.resume();
    this.user.readEnd();
    if (this.#holds === 0) this.transport.resume();
  }

  /** Bytes of the peer, from the socket or from whoever read it before. */
  receive(chunk: Buffer): void {
    this.user.received(chunk.length);
    this.#reader.push(chunk);
    if (!this.#hasEnded) this.user.readEnd();
  }

  #onTransportClosed(): void {
    if (this.#machine.state === 'Sta1') return;
    const detail = this.#socketError || 'the connection was closed';
    this.#fire(Evt.transportClosed, { ending: { by: 'transport', abort: Abort.notSpecified, detail } });
    this.transport.destroy();
  }

  #onArtimExpired(): void {
    const detail = `no complete association request within ${this.limits.artimMs} ms`;
    const ending: Ending = { by: 'us', abort: Abort.notSpecified, detail };
    this.#fire(Evt.artimExpired, this.#machine.state === 'Sta2' ? { ending } : {});
  }

  dataPdu(): void {
    const { effects } = this.#machine.fire(Evt.pDataReceived);
    if (effects.length === 1 && effects[0] === 'indicate') return;
    this.#perform(effects, { ending: { by: 'us', abort: Abort.unexpectedPdu, detail: 'P-DATA at the wrong time' } });
    this.#reader.end();
  }
  value(contextId: number, controlHeader: number): void {
    this.user.value(contextId, controlHeader);
  }
  fragment(bytes: Buffer): void {
    this.user.fragment(bytes);
  }
  valueEnd(): void {
    this.user.valueEnd();
  }
  invalid(abort: AssociationAbort, detail: string): void {
    this.#fire(Evt.invalidPduReceived, { ending: { by: 'us', abort, detail } });
  }

  control(type: number, body: Buffer): void {
    const ending: Ending = { by: 'us', abort: Abort.unexpectedPdu, detail: 'a PDU at the wrong time' };
    try {
      if (type === PduType.associateRq) return this.#associateRq(body, ending);
      if (type === PduType.associateAc) {
        const answer = decodeAssociateAc(body);
        return this.#fire(Evt.associateAcReceived, { ending, indicate: () => this.user.associateAccepted(answer) });
      }
    } catch (error) {
      if (!(error instanceof MalformedPduError)) throw error;
      return this.invalid(Abort.invalidPduParameter, error.message);
    }
    if (type === PduType.associateRj) {
      const rejection = { result: body[1], source: body[2], reason: body[3] } as AssociationRejection;
      this.#fire(Evt.associateRjReceived, { ending, indicate: () => this.user.associateRejected(rejection) });
    } else if (type === PduType.releaseRq) {
      this.#fire(Evt.releaseRqReceived, { ending, indicate: () => this.user.releaseRequested() });
    } else if (type === PduType.releaseRp) {
      this.#fire(Evt.releaseRpReceived, { ending, indicate: () => this.user.releaseConfirmed() });
    } else {
      const abort = { source: body[2] as number, reason: body[3] as number };
      this.#fire(Evt.abortReceived, { ending: { by: 'peer', abort, detail: 'the peer aborted' } });
    }
  }

  #associateRq(body: Buffer, ending: Ending): void {
    const request = decodeAssociateRq(body, this.limits.maxPresentationContexts);
    this.#requestBody = body;
    this.#fire(Evt.associateRqReceived, {
      ending,
      acceptable: (request.protocolVersion & PROTOCOL_VERSION) !== 0,
      pdu: encodeReject(Rejection.protocolVersionNotSupported),
      indicate: () => this.user.associateRequested(request),
    });
  }

  #fire(event: EventName, payload: EventPayload = {}): void {
    const { effects } = this.#machine.fire(event, payload.acceptable ?? true);
    this.#perform(effects, payload);
    if (this.#machine.state === 'Sta1') this.#finish(payload.ending);
  }

  #perform(effects: readonly Effect[], payload: EventPayload): void {
    for (const effect of effects) this.#effect(effect, payload);
  }

  #effect(effect: Effect, payload: EventPayload): void {
    switch (effect) {
      case 'send':
        if (payload.pdu) this.transport.write(payload.pdu);
        break;
      case 'sendAbort':
        this.#sendAbort(payload.ending?.abort ?? Abort.notSpecified);
        if (payload.ending) this.#end(payload.ending);
        break;
      case 'indicate':
        payload.indicate?.();
        break;
      case 'indicateAbort':
        if (payload.ending) this.#end(payload.ending);
        break;
      case 'startArtim':
        this.#artim.start(this.#hasEnded ? this.limits.abortLingerMs : this.limits.artimMs);
        break;
      case 'stopArtim':
        this.#artim.stop();
        break;
      case 'close':
        this.transport.destroy();
        break;
      case 'connect':
        break;
    }
  }

  /**
   * Table 9-9 has AA-1 send the abort as the service user; where a PDU was the cause we keep the provider's reason, which is
   * what the peer needs to know. Our sending side is closed with it, and what still comes in is thrown away: a socket
   * closed with unread bytes would be reset, and the reset could overtake the abort.
   */
  #sendAbort(abort: AssociationAbort): void {
    this.#reader.end();
    if (this.transport.writable) this.transport.end(encodeAbort(abort));
    this.#holds = 0;
    this.transport.resume();
  }

  #end(ending: Ending): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reader.end();
    this.user.ended(ending);
  }

  #finish(ending: Ending | undefined): void {
    this.#artim.stop();
    this.#reader.end();
    if (ending && !this.#hasEnded && ending.by !== 'transport') this.#end(ending);
    this.#hasEnded = true;
    this.user.closed();
  }
}
