// Publishes the receipts of this process's landing area, in landing order. The landing segments are the write-ahead log: a relay
// that was killed, or that waited for a database, goes on from its stored position; publishing twice changes nothing.
import { INSTANCE_RECEIVED } from '@perennia/contracts';
import { faultPoint, mutant } from '@perennia/fault-points';
import type { EventLog } from '@perennia/messaging';
import type { ImagingDatabase } from '@perennia/persistence';
import type { LandedRecord, Landing, LandingPosition } from '@perennia/storage';
import { BatchTrace, type Clock, type Logger, type Metrics, type Tracing } from '@perennia/telemetry';
import { logRecordOf } from './receipt-route.js';
import { traceparentOf } from './receipt-tail.js';

const BATCH_RECORDS = 1000;
const BATCH_BYTES = 8 * 1024 * 1024;
const POSITION_INTERVAL_MS = 500;
/**
 * What lands in one go is published together when no more comes, or after the longest time, or when a batch is full. Each publication costs
 * some commits and indexing a processor, which reception lacks while it is busy; in the pause after it both are free. Whoever waits for his
 * receipts makes it be at once.
 */
const QUIET_MS = 25;
const LONGEST_GATHERING_MS = 500;
/** Between two publications, for senders that pause between any two objects. */
const SHORTEST_INTERVAL_MS = 100;
const HURRIED_INTERVAL_MS = 2;
const MAX_BACKOFF_MS = 5_000;
const MAX_KNOWN_SEGMENTS = 1000;
const MESSAGING = { 'messaging.system': 'perennia', 'messaging.destination.name': INSTANCE_RECEIVED };

export interface ReceiptRelayParts {
  landing: Landing;
  eventLog: EventLog;
  imaging: ImagingDatabase;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  tracing: Tracing;
  /** Name of the landing area. */
  owner: string;
}

export class ReceiptRelay {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private position: LandingPosition | null = null;
  private storedPosition: LandingPosition | null = null;
  private positionStoredMs = 0;
  private isRestored = false;
  private isHurried = false;
  private pause: AbortController | undefined;
  /** Segments whose rows exist, by place key. */
  private readonly knownSegments = new Set<string>();
  private readonly published;

  constructor(private readonly parts: ReceiptRelayParts) {
    this.published = parts.metrics.counter('vna_receipts_published_total', 'Receipts appended to the event log');
  }

  /** Everything up to here is in the event log; null before the first receipt of this area. */
  get publishedUpTo(): LandingPosition | null {
    return this.position;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.pause?.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let backoffMs = 50;
    while (!signal.aborted) {
      try {
        if (!this.isRestored) await this.restorePosition();
        const moved = await this.publishNext();
        backoffMs = 50;
        if (moved === 'nothing') await this.parts.landing.whenDurable(signal);
        if (moved !== 'all there is room for') await this.gather(moved === 'nothing' ? QUIET_MS : SHORTEST_INTERVAL_MS);
      } catch (error) {
        this.parts.logger.warn({ code: (error as { code?: string }).code, err: (error as Error).message, backoffMs }, 'receipts wait: the event log cannot be written');
        await this.parts.clock.sleep(backoffMs, signal);
        backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
      }
    }
    await this.storePosition().catch((error: unknown) => this.parts.logger.warn({ err: (error as Error).message }, 'relay position not stored; receipts will be published again'));
  }

  /** Somebody waits until what has landed is indexed: it is published at once. */
  hurry(): void {
    this.isHurried = true;
    this.pause?.abort();
  }

  /** Resolves when what lands is to be published. */
  private async gather(shortestMs: number): Promise<void> {
    const { clock, landing } = this.parts;
    const beganMs = clock.monotonicMs();
    await clock.sleep(HURRIED_INTERVAL_MS);
    for (let before = -1; !this.isHurried && !this.stopping.signal.aborted; ) {
      const waiting = (await landing.recordsAfter(this.position, BATCH_RECORDS)).length;
      const gatheredMs = clock.monotonicMs() - beganMs;
      if (waiting === BATCH_RECORDS || gatheredMs >= LONGEST_GATHERING_MS || (waiting === before && gatheredMs >= shortestMs)) break;
      before = waiting;
      this.pause = new AbortController();
      await clock.sleep(QUIET_MS, this.pause.signal);
    }
    this.isHurried = false;
  }

  private async restorePosition(): Promise<void> {
    const rows = await this.parts.imaging.query<{ generation: string; offset_bytes: string }>(
      'select generation, offset_bytes from imaging.relay_position where owner = $1',
      [this.parts.owner],
    );
    const row = rows[0];
    this.position = row ? { generation: Number(row.generation), offset: Number(row.offset_bytes) } : null;
    this.isRestored = true;
  }

  /** Publishes the next batch. @returns how much there was */
  private async publishNext(): Promise<'nothing' | 'all' | 'all there is room for'> {
    const found = await this.parts.landing.recordsAfter(this.position, BATCH_RECORDS);
    const records = bounded(found);
    const last = records.at(-1);
    if (!last) {
      await this.storePosition();
      return 'nothing';
    }
    await this.openSegmentRows(records);
    if (mutant('offset-before-effect')) await this.storePositionOf(last.position);
    const { clock, tracing } = this.parts;
    await (tracing.enabled ? this.appendTraced(records) : this.append(records));
    faultPoint('K10');
    this.position = last.position;
    this.published.inc(records.length);
    if (clock.monotonicMs() - this.positionStoredMs > POSITION_INTERVAL_MS) await this.storePosition();
    return records.length === BATCH_RECORDS || records.length < found.length ? 'all there is room for' : 'all';
  }

  private append(records: readonly LandedRecord[], next?: (traceparent: string | undefined) => string | undefined): Promise<void> {
    const { eventLog, owner } = this.parts;
    return eventLog.append(INSTANCE_RECEIVED, records.map((record) => logRecordOf(record, eventLog.partitions, owner, next?.(traceparentOf(record)))));
  }

  private async appendTraced(records: readonly LandedRecord[]): Promise<void> {
    const trace = BatchTrace.begin(this.parts.tracing, {
      name: `send ${INSTANCE_RECEIVED}`, kind: 'producer', member: 'published', parents: records.map(traceparentOf),
      attributes: { ...MESSAGING, 'messaging.operation.type': 'send', 'messaging.operation.name': 'append', 'messaging.batch.message_count': records.length },
    });
    await (trace ? trace.run(() => this.append(records, (traceparent) => trace.next(traceparent))) : this.append(records));
  }

  /** A segment's row must exist before anything of it can be counted as disposed of. A streamed object is a segment of its own. */
  private async openSegmentRows(records: readonly LandedRecord[]): Promise<void> {
    const fresh = new Set(records.map(({ place }) => place.key).filter((key) => !this.knownSegments.has(key)));
    if (fresh.size === 0) return;
    const keys = [...fresh];
    await this.parts.imaging.prepared(
      `insert into imaging.segment (owner, generation, object_key)
       select $1, generation, object_key from unnest($2::bigint[], $3::text[]) as fresh (generation, object_key)
       on conflict do nothing`,
      [this.parts.owner, keys.map(generationOf), keys],
    );
    for (const key of keys) this.knownSegments.add(key);
    for (const key of [...this.knownSegments].slice(0, -MAX_KNOWN_SEGMENTS)) this.knownSegments.delete(key);
  }

  private async storePosition(): Promise<void> {
    if (this.position && this.position !== this.storedPosition) await this.storePositionOf(this.position);
  }

  private async storePositionOf(position: LandingPosition): Promise<void> {
    await this.parts.imaging.prepared(
      `insert into imaging.relay_position (owner, generation, offset_bytes) values ($1, $2, $3)
       on conflict (owner) do update set generation = excluded.generation, offset_bytes = excluded.offset_bytes, updated_at = now()`,
      [this.parts.owner, position.generation, position.offset],
    );
    faultPoint('K11');
    this.storedPosition = position;
    this.positionStoredMs = this.parts.clock.monotonicMs();
  }
}

/** A place key ends with the generation of its segment. */
function generationOf(placeKey: string): number {
  return Number(placeKey.slice(placeKey.lastIndexOf('@') + 1));
}

function bounded(records: LandedRecord[]): LandedRecord[] {
  let bytes = 0;
  const end = records.findIndex((record) => (bytes += record.receipt.length) > BATCH_BYTES);
  return end <= 0 ? (end === 0 ? records.slice(0, 1) : records) : records.slice(0, end);
}
