// Runs the stages of a verification one after the other, each with a deadline of its own, and keeps what was found.
import type { Clock } from '@perennia/telemetry';
import type { StageResult, VerificationStage } from '../node-verification.js';
import { StageFailure } from './stage-failure.js';

export interface Stage<Result> {
  readonly name: VerificationStage;
  work(): Promise<Result>;
  /** What is found when it went well. */
  found(result: Result): string;
  /** What it means when the deadline passes. */
  readonly late: StageFailure;
}

export class StageLog {
  readonly results: StageResult[] = [];

  constructor(private readonly clock: Clock, private readonly timeoutMs: number) {}

  /** @throws StageFailure, kept in the results; what `work` throws besides */
  async run<Result>(stage: Stage<Result>): Promise<Result> {
    const startedMs = this.clock.monotonicMs();
    const keep = (ok: boolean, said: Pick<StageResult, 'found' | 'remedy'>): void => {
      this.results.push({ stage: stage.name, ok, durationMs: Math.round(10 * (this.clock.monotonicMs() - startedMs)) / 10, ...said });
    };
    try {
      const result = await this.inTime(stage.work(), stage.late);
      keep(true, { found: stage.found(result) });
      return result;
    } catch (error) {
      if (error instanceof StageFailure) keep(false, { found: error.found, remedy: error.remedy });
      throw error;
    }
  }

  /** What comes after the deadline is forgotten. @throws late, and what `work` throws */
  async inTime<Result>(work: Promise<Result>, late: Error): Promise<Result> {
    const settled = new AbortController();
    const deadline = this.clock.sleep(this.timeoutMs, settled.signal).then(() => Promise.reject<Result>(late));
    try {
      return await Promise.race([work, deadline]);
    } finally {
      settled.abort();
    }
  }
}
