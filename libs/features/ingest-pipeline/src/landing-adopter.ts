// Works off landing areas whose owners do not come back: publishes what was not published, and releases the segments as they are filed. Only for
// areas that every machine reaches. One process at a time by a claim in the database; two at once would do the same things twice, nothing else.
import { randomUUID } from 'node:crypto';
import type { EventLog } from '@perennia/messaging';
import type { ImagingDatabase } from '@perennia/persistence';
import type { Landing } from '@perennia/storage';
import type { Clock, Logger, Metrics, Tracing } from '@perennia/telemetry';
import { heartbeatMs } from './landing-heartbeat.js';
import { ReceiptRelay } from './receipt-relay.js';
import { SegmentKeeper } from './segment-keeper.js';

/** Seen so often without a sign of life. One look is not enough: after an outage of the database every owner is old until its next beat. */
const LOOKS = 3;
/** Areas of processes that never reached the database are found by listing. */
const LISTING_INTERVAL_MS = 3_600_000;
const NOT_NOW = 'landing areas without an owner are not looked after for the moment';

export interface AdoptableAreas {
  owners(): Promise<string[]>;
  adopt(owner: string): Promise<Landing>;
}

export interface LandingAdopterParts {
  areas: AdoptableAreas;
  imaging: ImagingDatabase;
  eventLog: EventLog;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  tracing: Tracing;
  adoptAfterMs: number;
  republishAfterMs: number;
}

interface SilentOwner {
  owner: string;
  seen_at: string;
}

export class LandingAdopter {
  private readonly id = randomUUID();
  private readonly stopping = new AbortController();
  private readonly intervalMs: number;
  private running: Promise<void> | undefined;
  private listedMs: number | undefined;
  /** How often in a row each was seen silent, by owner and its last sign of life. */
  private looks = new Map<string, number>();
  /** By owner: one area that cannot be emptied (an object of it is in quarantine) keeps no other one waiting. */
  private readonly adopted = new Map<string, Promise<void>>();

  constructor(private readonly parts: LandingAdopterParts) {
    this.intervalMs = heartbeatMs(parts.adoptAfterMs);
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await Promise.all(this.adopted.values());
  }

  private async run(): Promise<void> {
    const { clock, logger } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.listAreas();
        for (const silent of await this.look()) this.adopt(silent);
      } catch (error) {
        this.looks.clear();
        logger.warn({ err: (error as Error).message }, NOT_NOW);
      }
      await clock.sleep(this.intervalMs, signal);
    }
  }

  private async listAreas(): Promise<void> {
    const { areas, imaging, clock } = this.parts;
    if (this.listedMs !== undefined && clock.monotonicMs() - this.listedMs < LISTING_INTERVAL_MS) return;
    await imaging.query('insert into imaging.landing_owner (owner, seen_at) select owner, clock_timestamp() from unnest($1::text[]) as listed (owner) on conflict do nothing', [
      await areas.owners(),
    ]);
    this.listedMs = clock.monotonicMs();
  }

  /** @returns owners that are to be taken for gone */
  private async look(): Promise<SilentOwner[]> {
    const silent = await this.parts.imaging.prepared<SilentOwner>(
      `select owner, seen_at::text as seen_at from imaging.landing_owner
       where not is_drained and seen_at < clock_timestamp() - $1 * interval '1 millisecond' and (adopter is null or adopter = $2 or adopted_until < clock_timestamp())
       order by seen_at`,
      [this.parts.adoptAfterMs, this.id],
    );
    this.looks = new Map(silent.map((each): [string, number] => [keyOf(each), (this.looks.get(keyOf(each)) ?? 0) + 1]));
    return silent.filter((each) => this.looks.get(keyOf(each))! >= LOOKS && !this.adopted.has(each.owner));
  }

  private adopt(silent: SilentOwner): void {
    const { owner } = silent;
    const done = this.workOff(silent)
      .catch((error: unknown) => this.parts.logger.warn({ owner, err: (error as Error).message }, NOT_NOW))
      .finally(() => this.adopted.delete(owner));
    this.adopted.set(owner, done);
  }

  /** Until nothing is left, or the owner is back, or this process stops. */
  private async workOff(silent: SilentOwner): Promise<void> {
    if (!(await this.claim(silent))) return;
    const { areas, imaging, eventLog, clock, metrics, logger, tracing, republishAfterMs } = this.parts;
    const { owner } = silent;
    logger.warn({ owner, silentSince: silent.seen_at }, 'The owner of a landing area is not heard of any more: what it left is worked off here');
    const landing = await areas.adopt(owner);
    // Once more, since its owner may have come back in between: it learns of it, and opens the area again.
    await imaging.query('update imaging.landing_owner set adopter = $2 where owner = $1', [owner, this.id]);
    const relay = new ReceiptRelay({ landing, eventLog, imaging, clock, metrics, logger, tracing, owner });
    const keeper = new SegmentKeeper({ landing, imaging, eventLog, relay, clock, logger, owner, republishAfterMs });
    relay.start();
    keeper.start();
    try {
      await this.untilDrained(silent, landing);
    } finally {
      await keeper.stop();
      await relay.stop();
      await landing.close();
    }
  }

  private async untilDrained(silent: SilentOwner, landing: Landing): Promise<void> {
    const { imaging, clock, logger } = this.parts;
    const { signal } = this.stopping;
    const { owner } = silent;
    while (!signal.aborted) {
      if (!(await this.claim(silent))) return logger.info({ owner }, 'The owner of an adopted landing area is back, or another process works it off');
      await landing.seal();
      if (landing.sealedSegments().length === 0) {
        await imaging.query('update imaging.landing_owner set is_drained = true where owner = $1 and adopter = $2 and seen_at = $3::timestamptz', [owner, this.id, silent.seen_at]);
        return logger.info({ owner }, 'Everything of an adopted landing area is filed, and its segments are gone');
      }
      await clock.sleep(this.intervalMs, signal);
    }
  }

  /** Takes or renews it. @returns false when the owner lives, or another process was quicker */
  private async claim({ owner, seen_at }: SilentOwner): Promise<boolean> {
    const rows = await this.parts.imaging.query(
      `update imaging.landing_owner set adopter = $2, adopted_until = clock_timestamp() + $4 * interval '1 millisecond'
       where owner = $1 and seen_at = $3::timestamptz and not is_drained and (adopter is null or adopter = $2 or adopted_until < clock_timestamp())
       returning owner`,
      [owner, this.id, seen_at, 4 * this.intervalMs],
    );
    return rows.length > 0;
  }
}

const keyOf = ({ owner, seen_at }: SilentOwner): string => `${owner} ${seen_at}`;
