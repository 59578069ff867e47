// Time for the protocol engine. Injected, so that tests move it by hand and never sleep.

export interface TimerHandle {
  cancel(): void;
}

export abstract class TimerSource {
  /** Milliseconds that never go backwards; only differences mean anything. */
  abstract nowMs(): number;
  /** Calls `run` once after `delayMs` unless cancelled. */
  abstract schedule(delayMs: number, run: () => void): TimerHandle;
}

export class SystemTimerSource extends TimerSource {
  nowMs(): number {
    return performance.now();
  }
  schedule(delayMs: number, run: () => void): TimerHandle {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  }
}
