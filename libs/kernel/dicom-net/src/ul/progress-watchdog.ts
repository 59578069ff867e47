// Ends associations whose peer has gone silent or drips (limits in acceptor-limits.ts). Costs two additions per socket read:
// deadlines are looked at ten times per shortest limit, so each is exact to a tenth of it.
import type { TimerHandle, TimerSource } from './timer-source.js';

export interface WatchdogLimits {
  readonly idleMs: number;
  readonly byteGapMs: number;
  readonly minBytesPerSecond: number;
  readonly minRateWindowMs: number;
}

export interface ObservedProgress {
  /** Bytes of a PDU are outstanding. */
  readonly midPdu: boolean;
  /** A message has begun and is not complete. */
  readonly midMessage: boolean;
  /** Grows with each message begun: the rate is measured within one message. */
  readonly messagesBegun: number;
  /** The peer waits for us: an operation is unanswered or we do not read. */
  readonly waitingForUs: boolean;
}

export class ProgressWatchdog {
  #handle: TimerHandle | null = null;
  #lastByteAtMs = 0;
  #windowStartMs = 0;
  #windowBytes = 0;
  #windowMessage = -1;

  constructor(
    private readonly timers: TimerSource,
    private readonly limits: WatchdogLimits,
    private readonly observed: ObservedProgress,
    private readonly onExpired: (detail: string) => void,
  ) {}

  start(): void {
    this.#restart(this.timers.nowMs());
    this.#scheduleTick();
  }

  stop(): void {
    this.#handle?.cancel();
    this.#handle = null;
  }

  received(bytes: number): void {
    this.#lastByteAtMs = this.timers.nowMs();
    this.#windowBytes += bytes;
  }

  #scheduleTick(): void {
    const { idleMs, byteGapMs, minRateWindowMs } = this.limits;
    this.#handle = this.timers.schedule(Math.min(idleMs, byteGapMs, minRateWindowMs) / 10, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.timers.nowMs();
    const detail = this.#verdict(nowMs);
    if (detail === null) return this.#scheduleTick();
    this.#handle = null;
    this.onExpired(detail);
  }

  #verdict(nowMs: number): string | null {
    const { observed, limits } = this;
    if (observed.waitingForUs) {
      this.#restart(nowMs);
      return null;
    }
    const silentMs = nowMs - this.#lastByteAtMs;
    if (observed.midPdu && silentMs >= limits.byteGapMs) return `no byte for ${limits.byteGapMs} ms in the middle of a PDU`;
    if (silentMs >= limits.idleMs) return `idle for ${limits.idleMs} ms`;
    if (!(observed.midPdu || observed.midMessage) || observed.messagesBegun !== this.#windowMessage) {
      this.#restartWindow(nowMs);
    } else if (nowMs - this.#windowStartMs >= limits.minRateWindowMs) {
      if (this.#windowBytes * 1000 < limits.minBytesPerSecond * (nowMs - this.#windowStartMs)) {
        return `slower than ${limits.minBytesPerSecond} bytes per second`;
      }
      this.#restartWindow(nowMs);
    }
    return null;
  }

  #restart(nowMs: number): void {
    this.#lastByteAtMs = nowMs;
    this.#restartWindow(nowMs);
  }

  #restartWindow(nowMs: number): void {
    this.#windowStartMs = nowMs;
    this.#windowBytes = 0;
    this.#windowMessage = this.observed.messagesBegun;
  }
}
