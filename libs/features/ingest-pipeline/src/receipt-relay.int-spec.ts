// When receipts are published: in the pauses of the senders, and not too late where there are none.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { INSTANCE_RECEIVED } from '@perennia/contracts';
import type { NewLogRecord } from '@perennia/messaging';
import { Landing, type LandedRecord, type LandingPosition, type LandingState, type LandingStream, type SealedSegment } from '@perennia/storage';
import { cloneTemplateDatabase, MemoryEventLog, MemoryLogStore, receipt, type TestDatabase } from '@perennia/testing';
import { createLogger, Metrics, NoTracing, SystemClock } from '@perennia/telemetry';
import { ReceiptRelay } from './receipt-relay.js';

/** Time passes only where somebody sleeps; the senders of a test act then. */
class ScriptedClock extends SystemClock {
  private atMs = 0;
  onSleep: (atMs: number) => void = () => undefined;
  override monotonicMs(): number {
    return this.atMs;
  }
  override async sleep(ms: number): Promise<void> {
    this.atMs += ms;
    this.onSleep(this.atMs);
    await new Promise(setImmediate);
  }
}

class ScriptedLanding extends Landing {
  private readonly records: LandedRecord[] = [];
  private resume: (() => void) | undefined;

  land(): void {
    const { receiptId, tenantId, bucket, receivedAt, studyInstanceUid, ...rest } = receipt();
    const offset = this.records.length * 4096;
    const place = { tier: 'landing', key: 'relayed/seg-0000@1', offset, length: 100 };
    this.records.push({ position: { generation: 1, offset }, receipt: Buffer.from(JSON.stringify({ receiptId, tenantId, bucket, receivedAt, studyInstanceUid, ...rest })), place });
    this.resume?.();
  }
  async recordsAfter(after: LandingPosition | null, limit: number): Promise<LandedRecord[]> {
    return this.records.filter(({ position }) => after === null || position.offset > after.offset).slice(0, limit);
  }
  whenDurable(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.resume = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  append(): Promise<LandedRecord> {
    throw new Error('not used');
  }
  openStream(): Promise<LandingStream> {
    throw new Error('not used');
  }
  sealedSegments(): SealedSegment[] {
    return [];
  }
  async seal(): Promise<void> {}
  async release(): Promise<void> {}
  state(): LandingState {
    return { freeSegments: 1, totalSegments: 1, heldBytes: 0 };
  }
  async close(): Promise<void> {}
}

class WatchedLog extends MemoryEventLog {
  readonly publications: { records: number; atMs: number }[] = [];
  onAppend: () => void = () => undefined;
  clock!: ScriptedClock;
  override async append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
    expect(topic).toBe(INSTANCE_RECEIVED);
    this.publications.push({ records: records.length, atMs: this.clock.monotonicMs() });
    this.onAppend();
  }
}

describe('ReceiptRelay', () => {
  let database: TestDatabase;
  let clock: ScriptedClock;
  let landing: ScriptedLanding;
  let eventLog: WatchedLog;

  beforeAll(async () => {
    database = await cloneTemplateDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.imaging.query('truncate imaging.relay_position');
    clock = new ScriptedClock();
    landing = new ScriptedLanding();
    eventLog = Object.assign(new WatchedLog(new MemoryLogStore()), { clock });
  });

  const makeRelay = (): ReceiptRelay =>
    new ReceiptRelay({ landing, eventLog, imaging: database.imaging, clock, metrics: new Metrics(), logger: createLogger('relay', 'silent'), tracing: new NoTracing(), owner: 'relayed' });
  /** Runs until so many receipts are published. */
  async function until(relay: ReceiptRelay, receipts: number): Promise<void> {
    const published = new Promise<void>((resolve) => {
      eventLog.onAppend = () => {
        if (eventLog.publications.reduce((sum, { records }) => sum + records, 0) >= receipts) resolve();
      };
    });
    relay.start();
    await published;
    await relay.stop();
  }

  it('given a burst, then all of it is published together, once nothing more has come for a moment', async () => {
    let left = 10;
    clock.onSleep = () => {
      if (left-- > 0) landing.land();
    };
    landing.land();
    // What a start finds is published at once.
    await until(makeRelay(), 11);
    expect(eventLog.publications.map(({ records }) => records)).toEqual([1, 10]);
  });

  it('given senders that never pause, then nothing waits for longer than half a second', async () => {
    clock.onSleep = () => landing.land();
    landing.land();
    await until(makeRelay(), 40);
    const times = eventLog.publications.map(({ atMs }) => atMs);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(500);
    expect(times[1]! - times[0]!).toBeLessThan(600);
  });

  it('given somebody who waits for his receipts, then they are published without a pause', async () => {
    const relay = makeRelay();
    clock.onSleep = () => {
      landing.land();
      relay.hurry();
    };
    landing.land();
    await until(relay, 3);
    expect(eventLog.publications.at(1)!.atMs).toBeLessThan(30);
  });
});
