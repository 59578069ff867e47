// What a process knows about itself: whether it lives (restart it if not) and whether it can do its work now (send it none if
// not). Checks are named; a failing one says in words why. No check may take longer than its deadline.
import { errorForLog } from './error-for-log.js';

/** Resolves when all is well; rejects, or gives a reason in words, when not. */
export type HealthCheck = () => Promise<string | void> | string | void;

export interface HealthReport {
  ok: boolean;
  /** What is not `vital` is told, but the process does its work without. */
  checks: Record<string, { ok: boolean; reason?: string; vital?: false }>;
}
interface Registered {
  check: HealthCheck;
  vital: boolean;
}

/** Below the deadline of whoever asks. */
const CHECK_DEADLINE_MS = 1000;

export class HealthRegistry {
  readonly #liveness = new Map<string, Registered>();
  readonly #readiness = new Map<string, Registered>();

  constructor(private readonly deadlineMs = CHECK_DEADLINE_MS) {}

  /** A failing liveness check asks for a restart: only for states a restart heals. */
  addLiveness(name: string, check: HealthCheck): void {
    this.#liveness.set(name, { check, vital: true });
  }
  /** @param vital false for what the process can do its work without for a while */
  addReadiness(name: string, check: HealthCheck, vital = true): void {
    this.#readiness.set(name, { check, vital });
  }
  live(): Promise<HealthReport> {
    return this.#report(this.#liveness);
  }
  ready(): Promise<HealthReport> {
    return this.#report(this.#readiness);
  }

  async #report(registered: ReadonlyMap<string, Registered>): Promise<HealthReport> {
    const results = await Promise.all([...registered].map(async ([name, { check, vital }]) => ({ name, vital, reason: await this.#reasonOf(check) })));
    return {
      ok: results.every(({ reason, vital }) => reason === undefined || !vital),
      checks: Object.fromEntries(results.map(({ name, reason, vital }) => [name, { ...(reason === undefined ? { ok: true } : { ok: false, reason }), ...(vital ? {} : { vital }) }])),
    };
  }

  async #reasonOf(check: HealthCheck): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`no answer within ${this.deadlineMs} ms`), this.deadlineMs);
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
