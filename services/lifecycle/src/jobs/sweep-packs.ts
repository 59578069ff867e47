// Removes packs that nothing refers to: what a crash between writing a pack and committing it leaves. A pack goes only when it is a day
// old, two looks an hour apart found no row that refers to it, and every object in it stands in another pack by the catalogue: if the
// catalogue itself has lost something (a restored backup), the pack is the only witness and stays.
import type { JobQueue, RunningJob } from '@perennia/jobs';
import type { ImagingDatabase } from '@perennia/persistence';
import { bucketName, readPackIndex, type StorageTiers } from '@perennia/storage';
import type { Clock, Logger } from '@perennia/telemetry';

export const SWEEP_QUEUE = 'sweep-packs';
const DAY_MS = 24 * 3_600_000;
const SECOND_LOOK_MS = 3_600_000;
const BUCKETS = 1024;

export interface SweepPayload {
  /** Found without rows by an earlier look; without it this is the first look, over all stores. */
  suspects?: SuspectPack[];
}
export interface SuspectPack {
  tier: string;
  key: string;
}
export interface SweepCursor {
  bucket: number;
  suspects: SuspectPack[];
}

const REFERRED = `
select distinct object_key from (
  select object_key from imaging.copy where bucket = $1 and object_key = any($2::text[]) and tier = $3
  union all
  select object_key from imaging.duplicate where bucket = $1 and object_key = any($2::text[]) and tier = $3
) as referring`;

const ELSEWHERE = `
select r.id from unnest($1::smallint[], $2::uuid[]) as r (bucket, id)
join imaging.copy c on c.bucket = r.bucket and c.instance_id = r.id where c.state = 'verified' and (c.object_key <> $3 or c.tier <> $4)
union
select r.id from unnest($1::smallint[], $2::uuid[]) as r (bucket, id)
join imaging.duplicate d on d.bucket = r.bucket and d.id = r.id where d.state = 'filed' and (d.object_key <> $3 or d.tier <> $4)`;

export interface SweepPacksParts {
  imaging: ImagingDatabase;
  tiers: StorageTiers;
  jobs: JobQueue;
  clock: Clock;
  log: Logger;
  orphanAgeMs: number;
}

export class SweepPacks {
  constructor(private readonly parts: SweepPacksParts) {}

  /** Asks for the next sweep; asking again on the same day changes nothing. */
  async schedule(delayMs: number): Promise<void> {
    const runAt = new Date(this.parts.clock.nowMs() + delayMs);
    await this.parts.jobs.enqueue([{ queue: SWEEP_QUEUE, dedupeKey: `sweep ${runAt.toISOString().slice(0, 10)}`, payload: {}, runAt }]);
  }

  async run(job: Pick<RunningJob<SweepPayload, SweepCursor>, 'payload' | 'cursor' | 'signal' | 'checkpoint'>): Promise<void> {
    if (job.payload.suspects) return this.secondLook(job.payload.suspects);
    let { bucket, suspects } = job.cursor ?? { bucket: 0, suspects: [] };
    for (; bucket < BUCKETS; bucket++) {
      job.signal.throwIfAborted();
      for (const tier of this.parts.tiers.names) suspects = [...suspects, ...(await this.withoutRows(bucket, tier, await this.oldPacks(bucket, tier)))];
      if (bucket % 64 === 63) await job.checkpoint({ bucket: bucket + 1, suspects });
    }
    const { clock, jobs } = this.parts;
    if (suspects.length > 0) await jobs.enqueue([{ queue: SWEEP_QUEUE, payload: { suspects } satisfies SweepPayload, runAt: new Date(clock.nowMs() + SECOND_LOOK_MS) }]);
    await this.schedule(DAY_MS);
  }

  private async oldPacks(bucket: number, tier: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.parts.tiers.storeOf(tier).list(`data/${bucketName(bucket)}/`)) {
      if (key.endsWith('.pack') && writtenAtMs(key) < this.parts.clock.nowMs() - this.parts.orphanAgeMs) keys.push(key);
    }
    return keys;
  }

  private async withoutRows(bucket: number, tier: string, keys: readonly string[]): Promise<SuspectPack[]> {
    if (keys.length === 0) return [];
    const referred = await this.parts.imaging.query<{ object_key: string }>(REFERRED, [bucket, keys, tier]);
    const known = new Set(referred.map(({ object_key }) => object_key));
    return keys.filter((key) => !known.has(key)).map((key) => ({ tier, key }));
  }

  private async secondLook(suspects: readonly SuspectPack[]): Promise<void> {
    const together = Map.groupBy(suspects, ({ tier, key }) => `${tier} ${key.split('/')[1]!}`);
    for (const group of together.values()) {
      const { tier, key } = group[0]!;
      const bucket = Number.parseInt(key.split('/')[1]!, 16);
      for (const suspect of await this.withoutRows(bucket, tier, group.map((each) => each.key))) await this.removeIfElsewhere(suspect);
    }
  }

  private async removeIfElsewhere({ tier, key }: SuspectPack): Promise<void> {
    const { imaging, tiers, log } = this.parts;
    const store = tiers.storeOf(tier);
    if (!(await store.head(key))) return;
    const entries = await readPackIndex(store, key);
    const found = await imaging.query(ELSEWHERE, [entries.map(({ receipt }) => receipt.bucket), entries.map(({ receipt }) => receipt.receiptId), key, tier]);
    if (found.length < entries.length) {
      log.error({ tier, key, objects: entries.length, elsewhere: found.length }, 'A pack holds objects that the catalogue does not know elsewhere; run vna rebuild-index');
      return;
    }
    await store.delete(key);
    log.info({ tier, key, objects: entries.length }, 'A pack that nothing referred to was removed');
  }
}

/** Pack ids are UUIDv7: their first 48 bits are milliseconds. */
function writtenAtMs(key: string): number {
  return Number.parseInt(key.slice(key.lastIndexOf('/') + 1).replace('-', '').slice(0, 12), 16);
}
