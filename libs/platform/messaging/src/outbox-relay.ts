// Appends what committed transactions left in a plane's outbox to the event log, in the order (transaction, row), at least
// once. One relay per plane at a time, held by an advisory lock for each turn. Rows are deleted in ranges of the key once they
// are in the log: there is about one per study and batch, so the table stays at a few pages and needs no partitions to drop.
import { ArchiveError } from '@perennia/errors';
import { partitionOfBucket } from '@perennia/contracts';
import { faultPoint } from '@perennia/fault-points';
import type { ControlDatabase, ImagingDatabase, SqlRunner } from '@perennia/persistence';
import { WakeUp, type Clock, type Logger } from '@perennia/telemetry';
import type { EventLog } from './event-log.js';
import { outboxStatements, type OutboxStatements } from './sql/outbox-statements.js';

interface OutboxRow {
  xid: string;
  id: number;
  topic: string;
  bucket: number;
  key: string;
  value: string;
}
/** What a turn found: rows were taken, none are there, some belong to transactions not over yet, or another relay is at work. */
export type RelayTurn = 'relayed' | 'empty' | 'held back' | 'elsewhere';

const LOCK_KEY = 5_262_024;
const ROWS_PER_TURN = 500;
/** Rows written by other processes are found by looking. */
const LOOK_EVERY_MS = 500;
const HELD_BACK_MS = 20;
const LONGEST_PAUSE_MS = 5_000;

export class OutboxRelay {
  private readonly statements: OutboxStatements;
  private readonly wakeUp: WakeUp;
  private stopping = false;
  private running: Promise<void> | null = null;

  constructor(
    private readonly database: ControlDatabase | ImagingDatabase,
    private readonly eventLog: EventLog,
    clock: Clock,
    private readonly log: Logger,
  ) {
    this.statements = outboxStatements(database.plane);
    this.wakeUp = new WakeUp(clock);
  }

  start(): void {
    this.stopping = false;
    this.running ??= this.run();
  }

  /** To be called after a commit that wrote to the outbox, from any code of this process. */
  wake(): void {
    this.wakeUp.wake();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp.wake();
    await this.running;
    this.running = null;
  }

  /** One turn; `start` repeats it. @throws UnavailableError */
  turn(): Promise<RelayTurn> {
    return this.database.transaction(async (sql) => {
      const [lock] = await sql.prepared<{ taken: boolean }>('select pg_try_advisory_xact_lock($1, hashtext($2)) as taken', [LOCK_KEY, this.database.plane]);
      if (!lock!.taken) return 'elsewhere';
      const rows = await sql.prepared<OutboxRow>(this.statements.read, [ROWS_PER_TURN]);
      if (rows.length === 0) return this.nothingToRead(sql);
      for (const [topic, records] of Map.groupBy(rows, (row) => row.topic)) {
        await this.eventLog.append(topic, records.map(({ bucket, key, value }) => ({ partition: partitionOfBucket(bucket, this.eventLog.partitions), key, value })));
      }
      faultPoint('K13');
      const last = rows.at(-1)!;
      await sql.prepared(this.statements.release, [last.xid, last.id]);
      return 'relayed';
    });
  }

  private async nothingToRead(sql: SqlRunner): Promise<RelayTurn> {
    const [row] = await sql.prepared<{ left: boolean }>(this.statements.anyLeft);
    return row!.left ? 'held back' : 'empty';
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopping) {
      try {
        const found = await this.turn();
        failures = 0;
        if (found !== 'relayed') await this.wakeUp.wait(found === 'held back' ? HELD_BACK_MS : LOOK_EVERY_MS);
      } catch (error) {
        const pauseMs = Math.min(LONGEST_PAUSE_MS, 100 * 2 ** failures++);
        this.log.warn({ plane: this.database.plane, code: error instanceof ArchiveError ? error.code : 'UNEXPECTED', pauseMs }, 'The outbox relay waits and tries again');
        await this.wakeUp.wait(pauseMs);
      }
    }
  }
}
