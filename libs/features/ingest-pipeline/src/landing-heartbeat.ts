// Says in the database that the owner of a landing area lives, so that nobody adopts it; and learns when somebody did. Who was adopted while it
// lived (its network was away from the database, say) cannot acknowledge any more: its process has to open the area again.
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock, Logger } from '@perennia/telemetry';

const LONGEST_INTERVAL_MS = 30_000;
/** So many beats are missed before an area may be adopted. */
const BEATS = 5;

/** How often an owner says that it lives. */
export const heartbeatMs = (adoptAfterMs: number): number => Math.min(LONGEST_INTERVAL_MS, adoptAfterMs / BEATS);

export interface LandingHeartbeatParts {
  imaging: ImagingDatabase;
  clock: Clock;
  logger: Logger;
  owner: string;
  intervalMs: number;
  /** Once, when another process has taken the area over. */
  onAdopted: () => void;
}

export class LandingHeartbeat {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: LandingHeartbeatParts) {}

  /** Before the area is opened: who works it off lets go. Without the database reception starts all the same. */
  async begin(): Promise<void> {
    const { imaging, owner, logger } = this.parts;
    await imaging
      .query(
        `insert into imaging.landing_owner (owner, seen_at) values ($1, clock_timestamp())
         on conflict (owner) do update set seen_at = excluded.seen_at, adopter = null, adopted_until = null, is_drained = false`,
        [owner],
      )
      .catch((error: unknown) => logger.warn({ err: (error as Error).message }, 'the database does not know yet that this landing area is in use'));
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, intervalMs, onAdopted, logger, owner } = this.parts;
    const { signal } = this.stopping;
    for (;;) {
      await clock.sleep(intervalMs, signal);
      if (signal.aborted) return;
      // What cannot be said now is said the next time; while the database is away nobody adopts anything.
      const isAdopted = await this.beat().catch(() => false);
      if (!isAdopted) continue;
      logger.error({ owner }, 'This landing area was adopted by another process while its owner was not heard of: it is opened again');
      return onAdopted();
    }
  }

  private async beat(): Promise<boolean> {
    const rows = await this.parts.imaging.prepared<{ adopted: boolean }>(
      `insert into imaging.landing_owner (owner, seen_at) values ($1, clock_timestamp())
       on conflict (owner) do update set seen_at = excluded.seen_at, is_drained = false
       returning adopter is not null as adopted`,
      [this.parts.owner],
    );
    return rows[0]?.adopted === true;
  }
}
