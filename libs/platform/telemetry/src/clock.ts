// Port: time. Nothing outside platform reads the clock by itself, so that tests can move it.

export abstract class Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  abstract nowMs(): number;
  /** Milliseconds that never go backwards; only differences mean anything. */
  abstract monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  abstract sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export class SystemClock extends Clock {
  nowMs(): number {
    return Date.now();
  }
  monotonicMs(): number {
    return performance.now();
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
