// What a process knows about itself: whether it lives (restart it if not) and whether it can do its work now (send it none if
// not). Checks are named; a failing one says in words why. No check may take longer than its deadline.
import { errorForLog } from './error-for-log.js';

/** Resolves when all is well; rejects, or gives a reason in words, when not. */
export type HealthCheck = () => Promise<string | void> | string | void;

export interface HealthReport {
  ok: boolean;
  checks: Record<string, { ok: boolean; reason?: string }>;
}

const CHECK_DEADLINE_MS = 2000;

export class HealthRegistry {
  readonly #liveness = new Map<string, HealthCheck>();
  readonly #readiness = new Map<string, HealthCheck>();

  /** A failing liveness check asks for a restart: only for states a restart heals. */
  addLiveness(name: string, check: HealthCheck): void {
    this.#liveness.set(name, check);
  }
  addReadiness(name: string, check: HealthCheck): void {
    this.#readiness.set(name, check);
  }
  live(): Promise<HealthReport> {
    return this.#report(this.#liveness);
  }
  ready(): Promise<HealthReport> {
    return this.#report(this.#readiness);
  }

  async #report(checks: ReadonlyMap<string, HealthCheck>): Promise<HealthReport> {
    const results = await Promise.all([...checks].map(async ([name, check]) => [name, await this.#reasonOf(check)] as const));
    return {
      ok: results.every(([, reason]) => reason === undefined),
      checks: Object.fromEntries(results.map(([name, reason]) => [name, reason === undefined ? { ok: true } : { ok: false, reason }])),
    };
  }

  async #reasonOf(check: HealthCheck): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`no answer within ${CHECK_DEADLINE_MS} ms`), CHECK_DEADLINE_MS);
    });
    try {
      return (await Promise.race([Promise.resolve().then(check), deadline])) ?? undefined;
    } catch (error) {
      return String(errorForLog(error)['message'] ?? 'failed');
    } finally {
      clearTimeout(timer);
    }
  }
}
