// Watches the landing segments of this process: tells the database when one is sealed, publishes receipts again that never became
// rows, and releases a segment once every record of it is verified elsewhere or disposed of (K16).
import { INSTANCE_RECEIVED } from '@perennia/contracts';
import { faultPoint, mutant } from '@perennia/fault-points';
import type { EventLog } from '@perennia/messaging';
import type { ImagingDatabase } from '@perennia/persistence';
import type { LandedRecord, Landing, LandingPosition, SealedSegment } from '@perennia/storage';
import type { Clock, Logger } from '@perennia/telemetry';
import type { ReceiptRelay } from './receipt-relay.js';
import { logRecordOf, receiptHead } from './receipt-route.js';

const INTERVAL_MS = 500;
const REPUBLISH_BATCH = 1000;

export interface SegmentKeeperParts {
  landing: Landing;
  imaging: ImagingDatabase;
  eventLog: EventLog;
  relay: ReceiptRelay;
  clock: Clock;
  logger: Logger;
  owner: string;
  republishAfterMs: number;
}

export class SegmentKeeper {
  private readonly stopping = new AbortController();
  private readonly announced = new Set<number>();
  private running: Promise<void> | undefined;
  private republishedMs: number;

  constructor(private readonly parts: SegmentKeeperParts) {
    this.republishedMs = parts.clock.monotonicMs();
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, logger } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.once().catch((error: unknown) => logger.warn({ err: (error as Error).message }, 'landing segments are not looked after for the moment'));
      await clock.sleep(INTERVAL_MS, signal);
    }
  }

  /** One round: announce, release, publish again. */
  async once(): Promise<void> {
    const sealed = this.parts.landing.sealedSegments();
    await this.announce(sealed.filter((segment) => !this.announced.has(segment.generation) && this.isPublished(segment)));
    if (mutant('recycle-before-filed')) for (const { generation } of sealed) await this.parts.landing.release(generation);
    await this.release(sealed);
    const { clock, republishAfterMs } = this.parts;
    if (clock.monotonicMs() - this.republishedMs < republishAfterMs) return;
    this.republishedMs = clock.monotonicMs();
    await this.publishAgain();
  }

  /** No receipt of it is still on the way to the log. */
  private isPublished({ lastRecord }: SealedSegment): boolean {
    const published = this.parts.relay.publishedUpTo;
    return published !== null && !isAfter(lastRecord, published);
  }

  private async announce(segments: readonly SealedSegment[]): Promise<void> {
    if (segments.length === 0) return;
    await this.parts.imaging.query(
      `insert into imaging.segment (owner, generation, object_key, records, bytes, state)
       select $1, generation, object_key, records, bytes, 'sealed'
       from unnest($2::bigint[], $3::text[], $4::int[], $5::bigint[]) as sealed (generation, object_key, records, bytes)
       on conflict (owner, generation) do update set records = excluded.records, bytes = excluded.bytes,
         state = case segment.state when 'open' then 'sealed' else segment.state end`,
      [this.parts.owner, segments.map((s) => s.generation), segments.map((s) => s.key), segments.map((s) => s.records), segments.map((s) => s.bytes)],
    );
    for (const { generation } of segments) this.announced.add(generation);
  }

  private async release(sealed: readonly SealedSegment[]): Promise<void> {
    if (sealed.length === 0) return;
    const done = await this.parts.imaging.query<{ generation: string }>(
      `select generation from imaging.segment
       where owner = $1 and generation = any($2::bigint[]) and (state = 'released' or (state = 'sealed' and disposed_records >= records))
       order by generation`,
      [this.parts.owner, sealed.map(({ generation }) => generation)],
    );
    for (const { generation } of done) {
      await this.parts.landing.release(Number(generation));
      faultPoint('K16');
      await this.parts.imaging.query(`update imaging.segment set state = 'released' where owner = $1 and generation = $2`, [this.parts.owner, generation]);
      this.announced.delete(Number(generation));
    }
  }

  /** A log may lose accepted records in a power cut: what is old and has no row goes out again. Known receipts change nothing. */
  async publishAgain(): Promise<void> {
    const before = this.parts.clock.nowMs() - this.parts.republishAfterMs;
    const end = this.parts.relay.publishedUpTo;
    let position: LandingPosition | null = null;
    while (end) {
      const records: LandedRecord[] = await this.parts.landing.recordsAfter(position, REPUBLISH_BATCH);
      const old = records.filter((record) => !isAfter(record.position, end) && landedMs(record) < before);
      await this.publishMissing(old);
      position = records.at(-1)?.position ?? null;
      if (!position || old.length < records.length) return;
    }
  }

  private async publishMissing(records: readonly LandedRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { imaging, eventLog, owner, logger } = this.parts;
    const ids = records.map(receiptIdOf);
    const missing = await imaging.query<{ id: string }>(
      `select id from unnest($1::uuid[], $2::smallint[]) as landed (id, bucket)
       where not exists (select from imaging.instance i where i.bucket = landed.bucket and i.id = landed.id)
         and not exists (select from imaging.duplicate d where d.bucket = landed.bucket and d.id = landed.id)`,
      [ids, records.map(bucketOfReceipt)],
    );
    if (missing.length === 0) return;
    const wanted = new Set(missing.map(({ id }) => id));
    await eventLog.append(INSTANCE_RECEIVED, records.filter((record) => wanted.has(receiptIdOf(record))).map((record) => logRecordOf(record, eventLog.partitions, owner)));
    logger.warn({ receipts: missing.length }, 'receipts without rows were published again');
  }
}

function isAfter(a: LandingPosition, b: LandingPosition): boolean {
  return a.generation > b.generation || (a.generation === b.generation && a.offset > b.offset);
}
const receiptIdOf = (record: LandedRecord): string => receiptHead(record).slice(14, 50);
const bucketOfReceipt = (record: LandedRecord): number => Number(/"bucket":(\d+)/.exec(receiptHead(record))?.[1]);
const landedMs = (record: LandedRecord): number => Date.parse(/"receivedAt":"([^"]+)"/.exec(receiptHead(record))?.[1] ?? '');
