// Tells other processes that rows have appeared, on INDEXED_CHANNEL, with nothing but a counter. Outside of every transaction
// (a NOTIFY inside halves the commits) and at most once in an interval; whoever misses one polls.
import { INDEXED_CHANNEL } from '@perennia/contracts';
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock, Logger } from '@perennia/telemetry';

const INTERVAL_MS = 2;

export class IndexedNotice {
  private indexed = 0;
  private sending: Promise<void> | null = null;
  private told = 0;

  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  announce(receipts: number): void {
    this.indexed += receipts;
    this.sending ??= this.send().finally(() => (this.sending = null));
  }

  /** Resolves when everything announced before has been told. */
  async drained(): Promise<void> {
    await this.sending;
  }

  private async send(): Promise<void> {
    while (this.told < this.indexed) {
      this.told = this.indexed;
      await this.imaging.prepared(`select pg_notify('${INDEXED_CHANNEL}', $1)`, [String(this.told)])
        .catch((err: unknown) => this.log.debug({ err }, 'Nobody was told that receipts are indexed'));
      await this.clock.sleep(INTERVAL_MS);
    }
  }
}
