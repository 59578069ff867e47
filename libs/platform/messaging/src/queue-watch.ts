// How the queues in the database are doing, as metrics: what waits in the outbox, what was put aside, and the transaction that holds others up.
import type { ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import { Watch, type Clock, type Metrics } from '@perennia/telemetry';

// The first of the order in which the relay reads; it says itself when it was written.
const OUTBOX = `
select coalesce((select extract(epoch from now() - (value::json->>'occurredAt')::timestamptz) from imaging.outbox order by xid, id limit 1), 0)::float8 as seconds`;

// Of the sessions of other users only a member of pg_read_all_stats is told.
const TRANSACTIONS = `
select coalesce(max(extract(epoch from now() - xact_start)), 0)::float8 as seconds from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`;

const LETTERS = `select count(*)::int as letters from control.dead_letter where state = 'open'`;

export class QueueWatch {
  private readonly watch: Watch;
  private readonly letters;
  private readonly outbox;
  private readonly transaction;

  constructor(private readonly control: ControlDatabase, private readonly imaging: ImagingDatabase, metrics: Metrics, clock: Clock) {
    this.letters = metrics.gauge('vna_dead_letters_open', 'Records put aside that nobody has replayed or discarded');
    this.outbox = metrics.gauge('vna_outbox_oldest_seconds', 'Age of the oldest event that waits in the outbox; 0 when none does');
    this.transaction = metrics.gauge('vna_database_longest_transaction_seconds', 'Age of the oldest transaction of the database');
    this.watch = new Watch(clock, () => this.look());
  }

  start(): void {
    this.watch.start();
  }
  stop(): Promise<void> {
    return this.watch.stop();
  }

  private async look(): Promise<void> {
    const [[letters], [outbox], [transaction]] = await Promise.all([
      this.control.query<{ letters: number }>(LETTERS), this.imaging.query<{ seconds: number }>(OUTBOX), this.imaging.query<{ seconds: number }>(TRANSACTIONS),
    ]);
    this.letters.set(letters!.letters);
    this.outbox.set(Math.max(0, outbox!.seconds));
    this.transaction.set(transaction!.seconds);
  }
}
