// The body of an upload, chunk by chunk, given up when its sender falls silent or drips: a connection must not be held for next to nothing.
// Only time spent waiting for the sender counts, not the time in which we do not take. By events: a promise and a timer for each chunk of
// 64 KiB took a tenth of the receiving thread.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@perennia/telemetry';
import { RequestRefusedError } from './request-refused-error.js';

const LEAST_BYTES_PER_S = 1024;
/** The rate is looked at after this much waiting. */
const RATE_AFTER_MS = 10_000;

/** An announcement of this much has to be followed by bytes at once: it would hold a connection longest. */
const HUGE_BYTES = 1024 ** 3;
const BEGUN_BYTES = 64 * 1024;

export interface BodyPatience {
  bodyIdleTimeout: number;
  bodyStartTimeout: number;
}
/** Takes the bytes before it returns; nothing more comes until its promise is fulfilled. */
export type TakeChunk = (chunk: Buffer) => void | Promise<void>;

/**
 * Resolves at the end of the body. @throws RequestRefusedError (408) when the sender is too slow, what `take` throws, or an error of the
 * connection; then nothing more is read
 */
export function takeBody(body: IncomingMessage, patience: BodyPatience, clock: Clock, take: TakeChunk): Promise<void> {
  return new Promise((resolve, reject) => {
    new BodyIntake(body, patience, clock, take, (error) => (error === undefined ? resolve() : reject(error as Error))).start();
  });
}

class BodyIntake {
  private readonly isHuge: boolean;
  private receivedBytes = 0;
  private waitedMs = 0;
  /** Null while a chunk is being taken. */
  private waitingSinceMs: number | null;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly body: IncomingMessage,
    private readonly patience: BodyPatience,
    private readonly clock: Clock,
    private readonly take: TakeChunk,
    private readonly settle: (error?: unknown) => void,
  ) {
    this.isHuge = Number(body.headers['content-length'] ?? 0) >= HUGE_BYTES;
    this.waitingSinceMs = clock.monotonicMs();
  }

  start(): void {
    this.timer = setTimeout(this.look, this.allowedMs);
    this.body.on('data', this.onData).on('end', this.onEnd).on('error', this.fail).on('close', this.onClose);
  }

  private get allowedMs(): number {
    const { bodyIdleTimeout, bodyStartTimeout } = this.patience;
    return this.isHuge && this.receivedBytes < BEGUN_BYTES ? Math.min(bodyStartTimeout, bodyIdleTimeout) : bodyIdleTimeout;
  }

  /** One timer for the whole body, set anew when it has run down. */
  private readonly look = (): void => {
    const { allowedMs, waitingSinceMs } = this;
    const idleMs = waitingSinceMs === null ? 0 : this.clock.monotonicMs() - waitingSinceMs;
    if (idleMs >= allowedMs) this.fail(tooSlow(`nothing for ${allowedMs} ms`));
    else this.timer = setTimeout(this.look, Math.ceil(allowedMs - idleMs));
  };

  private readonly onData = (chunk: Buffer): void => {
    this.waitedMs += this.clock.monotonicMs() - (this.waitingSinceMs ?? 0);
    this.receivedBytes += chunk.length;
    if (this.waitedMs > RATE_AFTER_MS && (this.receivedBytes * 1000) / this.waitedMs < LEAST_BYTES_PER_S) {
      return this.fail(tooSlow(`less than ${LEAST_BYTES_PER_S} bytes a second`));
    }
    try {
      const wait = this.take(chunk);
      if (wait) void this.waitFor(wait);
      else this.waitingSinceMs = this.clock.monotonicMs();
    } catch (error) {
      this.fail(error);
    }
  };

  private async waitFor(taken: Promise<void>): Promise<void> {
    this.waitingSinceMs = null;
    this.body.pause();
    try {
      await taken;
    } catch (error) {
      return this.fail(error);
    }
    this.waitingSinceMs = this.clock.monotonicMs();
    if (this.ended) this.finish();
    else this.body.resume();
  }

  /** Comes after the last chunk was given out, even if that is still being taken. */
  private readonly onEnd = (): void => {
    this.ended = true;
    if (this.waitingSinceMs !== null) this.finish();
  };

  private readonly onClose = (): void => {
    if (!this.ended) this.fail(new Error('The sender closed the connection before the end of the body'));
  };

  private readonly fail = (error: unknown): void => {
    this.body.pause();
    this.finish(error);
  };

  private finish(error?: unknown): void {
    clearTimeout(this.timer);
    this.body.off('data', this.onData).off('end', this.onEnd).off('error', this.fail).off('close', this.onClose);
    this.settle(error);
  }
}

const tooSlow = (how: string): RequestRefusedError => new RequestRefusedError(408, 'UPLOAD_TOO_SLOW', `The upload sent ${how} and was given up.`);
