// Waits until receipts have become rows: read-your-writes for senders who want it.
// One query for all who wait, whenever the indexers tell that there are new rows, and now and then in case a notice was lost.
import { INDEXED_CHANNEL } from '@perennia/contracts';
import { type ImagingDatabase, NoticeListener } from '@perennia/persistence';
import { type Clock, type Logger, WakeUp } from '@perennia/telemetry';

const LOOK_AT_LEAST_EVERY_MS = 50;

export interface AwaitedReceipt {
  receiptId: string;
  bucket: number;
}
interface Waiter {
  missing: Map<string, number>;
  deadlineMs: number;
  done(): void;
}

export class AwaitIndexed {
  private readonly waiters = new Set<Waiter>();
  private looking: Promise<void> | undefined;
  private readonly notices: NoticeListener;
  private readonly wakeUp: WakeUp;

  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** Makes the relay of this process publish at once. */
    private readonly hurry: () => void,
  ) {
    this.wakeUp = new WakeUp(clock);
    this.notices = new NoticeListener(imaging, INDEXED_CHANNEL, () => {
      if (this.waiters.size > 0) this.wakeUp.wake();
    });
  }

  /** Resolves with the receipts that are indexed: all of them, or those that were when the time was up. */
  async wait(receipts: readonly AwaitedReceipt[], timeoutMs: number): Promise<Set<string>> {
    const missing = new Map(receipts.map(({ receiptId, bucket }) => [receiptId, bucket]));
    if (missing.size > 0) {
      await new Promise<void>((resolve) => {
        const waiter: Waiter = { missing, deadlineMs: this.clock.monotonicMs() + timeoutMs, done: resolve };
        this.waiters.add(waiter);
        this.hurry();
        this.looking ??= this.look();
      });
    }
    return new Set(receipts.filter(({ receiptId }) => !missing.has(receiptId)).map(({ receiptId }) => receiptId));
  }

  /** Resolves when nobody waits any more. */
  async close(): Promise<void> {
    await this.looking;
    await this.notices.close();
  }

  private async look(): Promise<void> {
    const told = (error: unknown): void => this.logger.warn({ err: (error as Error).message }, 'cannot see whether receipts are indexed');
    while (this.waiters.size > 0) {
      await this.notices.listen().catch(told);
      await this.wakeUp.wait(LOOK_AT_LEAST_EVERY_MS);
      this.settle(await this.indexedAmong().catch((error: unknown) => (told(error), new Set<string>())));
    }
    this.looking = undefined;
  }

  private async indexedAmong(): Promise<Set<string>> {
    const wanted = new Map([...this.waiters].flatMap(({ missing }) => [...missing]));
    const rows = await this.imaging.prepared<{ id: string }>(
      `with wanted as materialized (select * from unnest($1::uuid[], $2::smallint[]) as wanted (id, bucket))
       select i.id from wanted join imaging.instance i on i.bucket = wanted.bucket and i.id = wanted.id
       union all
       select d.id from wanted join imaging.duplicate d on d.bucket = wanted.bucket and d.id = wanted.id`,
      [[...wanted.keys()], [...wanted.values()]],
    );
    return new Set(rows.map(({ id }) => id));
  }

  private settle(found: Set<string>): void {
    const nowMs = this.clock.monotonicMs();
    for (const waiter of this.waiters) {
      for (const id of waiter.missing.keys()) if (found.has(id)) waiter.missing.delete(id);
      if (waiter.missing.size > 0 && waiter.deadlineMs > nowMs) continue;
      this.waiters.delete(waiter);
      waiter.done();
    }
  }
}
