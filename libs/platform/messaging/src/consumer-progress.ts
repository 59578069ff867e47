// For effects that are not natural upserts: the offset up to which they are done is kept in the same transaction as the
// effect. The update is conditional on the expected offset, which fences an owner that lost its partition meanwhile.
import { ConflictError } from '@perennia/errors';
import type { SqlRunner } from '@perennia/persistence';

export interface ConsumerPosition {
  consumer: string;
  topic: string;
  partition: number;
}

export class ConsumerProgress {
  private readonly table: string;

  constructor(plane: 'control' | 'imaging') {
    this.table = `${plane}.consumer_progress`;
  }

  /** The first offset whose effect is not there yet. */
  async next(sql: SqlRunner, { consumer, topic, partition }: ConsumerPosition): Promise<number> {
    const [row] = await sql.query<{ next_offset: number }>(
      `select next_offset from ${this.table} where consumer = $1 and topic = $2 and partition = $3`, [consumer, topic, partition]);
    return Number(row?.next_offset ?? 0);
  }

  /** @param sql the transaction of the effect. @throws ConflictError when the progress is not at `expected`: roll back, somebody else was here */
  async advance(sql: SqlRunner, { consumer, topic, partition }: ConsumerPosition, expected: number, next: number): Promise<void> {
    const moved = await sql.query(
      `insert into ${this.table} as known (consumer, topic, partition, next_offset)
       select $1, $2, $3, $5
       where $4::bigint = 0 or exists (select 1 from ${this.table} where consumer = $1 and topic = $2 and partition = $3)
       on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset, updated_at = now()
       where known.next_offset = $4 returning 1`,
      [consumer, topic, partition, expected, next],
    );
    if (moved.length === 0) throw new ConflictError(`The progress of ${consumer} in partition ${partition} is not at ${expected}.`);
  }
}
