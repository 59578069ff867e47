// One member of a group on one connection. Partitions are owned by session advisory locks: a killed member's are free as soon
// as the server sees its connection end. Progress is written on the same connection, so whoever lost the locks cannot write it.
import type { Clock } from '@perennia/telemetry';
import { ConflictError } from '@perennia/errors';
import type { LogRecord } from '@perennia/messaging';
import { connectLogClient, type LogClient } from './log-client.js';
import { fairShare, planRead, type ReadRange } from './plan-read.js';
import { unpackRun, type RunEncoding } from './record-run.js';
import type { TopicTable } from './record-tables.js';

export interface GroupKey {
  topic: string;
  table: TopicTable;
  groupId: number;
  partitions: number;
}
export interface LogBatch {
  records: LogRecord[];
  /** Where each partition stands before and after the batch. */
  steps: { partition: number; from: number; to: number }[];
}
interface RunRow {
  place: string;
  last_offset: string;
  records: number;
  encoding: RunEncoding;
  text_bytes: number;
  content: Buffer;
  end_bytes: string;
}

/** Second half of the lock key by which members are counted; partitions have theirs below it. */
export const MEMBER_KEY = 1_000_000;
export const CHANNEL = 'perennia_event_log';
const REBALANCE_EVERY_MS = 1000;
/** Bytes of values after which a batch ends: 2000 records of the largest kind would be half a gigabyte. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

export class GroupMember {
  /** Owned partitions with the offset each goes on at. */
  private readonly owned = new Map<number, number>();
  private nextRebalanceMs = 0;
  private turn = 0;

  private constructor(private readonly client: LogClient, private readonly group: GroupKey, private readonly clock: Clock) {}

  /** @param notified called with the id of a topic that has new records */
  static async join(url: string, group: GroupKey, clock: Clock, notified: (payload: string) => void): Promise<GroupMember> {
    const client = await connectLogClient(url, { name: 'log-group', synchronousCommit: 'off', indexScansOnly: true });
    try {
      client.onNotification(notified);
      await client.query(`listen ${CHANNEL}`);
      await client.query('select pg_advisory_lock_shared($1, $2)', [group.groupId, MEMBER_KEY]);
      const member = new GroupMember(client, group, clock);
      await member.rebalance();
      return member;
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  /** Frees partitions above the fair share, takes free ones up to it. Never called while a batch is in hand. */
  async rebalance(): Promise<void> {
    if (this.clock.monotonicMs() < this.nextRebalanceMs) return;
    const share = fairShare(this.group.partitions, await countMembers(this.client, this.group.groupId));
    const surplus = [...this.owned.keys()].slice(share);
    if (surplus.length > 0) {
      await this.client.query('select pg_advisory_unlock($1, partition) from unnest($2::int[]) as partition', [this.group.groupId, surplus]);
      for (const partition of surplus) this.owned.delete(partition);
    }
    if (this.owned.size < share) await this.takeFree(share - this.owned.size);
    this.nextRebalanceMs = this.clock.monotonicMs() + REBALANCE_EVERY_MS;
  }

  /** The next records of the owned partitions, or null when there are none. */
  async read(maxRecords: number): Promise<LogBatch | null> {
    const ends = await this.client.query<{ partition: number; next_offset: string }>(
      'select partition, next_offset from event_log.log_position where topic_id = $1 and partition = any($2::smallint[])',
      [this.group.table.topicId, [...this.owned.keys()]],
    );
    const backlogs = ends.map(({ partition, next_offset }) => ({ partition, nextOffset: this.owned.get(partition)!, endOffset: Number(next_offset) }));
    // A batch that ends by its bytes leaves the last ranges out: each turn begins with another partition.
    const start = this.turn++ % Math.max(1, backlogs.length);
    const ranges = planRead([...backlogs.slice(start), ...backlogs.slice(0, start)], maxRecords);
    return ranges.length === 0 ? null : this.readRanges(ranges);
  }

  /** Stores that the batch was handled. @throws ConflictError when somebody else moved the progress (a seek by force) */
  async store({ steps }: LogBatch): Promise<void> {
    const moved = await this.client.query(
      `update event_log.group_progress g set next_offset = s.next_offset
       from unnest($2::smallint[], $3::bigint[], $4::bigint[]) as s (partition, expected, next_offset)
       where g.group_id = $1 and g.partition = s.partition and g.next_offset = s.expected returning 1`,
      [this.group.groupId, steps.map(({ partition }) => partition), steps.map(({ from }) => from), steps.map(({ to }) => to)],
    );
    if (moved.length !== steps.length) throw new ConflictError('The progress of a consumer group was changed by somebody else.');
    for (const { partition, to } of steps) this.owned.set(partition, to);
  }

  /** Ends the session, and with it the locks. */
  leave(): Promise<void> {
    return this.client.end();
  }

  private async takeFree(limit: number): Promise<void> {
    const others = Array.from({ length: this.group.partitions }, (_, partition) => partition).filter((partition) => !this.owned.has(partition));
    // Without a sort the scan stops at the limit, so that no lock is taken beyond it.
    const taken = await this.client.query<{ partition: number }>(
      'select partition from unnest($2::int[]) as partition where pg_try_advisory_lock($1, partition) limit $3', [this.group.groupId, others, limit]);
    if (taken.length === 0) return;
    const progress = await this.client.query<{ partition: number; next_offset: string }>(
      'select partition, next_offset from event_log.group_progress where group_id = $1 and partition = any($2::smallint[])',
      [this.group.groupId, taken.map(({ partition }) => partition)],
    );
    for (const { partition, next_offset } of progress) this.owned.set(partition, Number(next_offset));
  }

  private async readRanges(ranges: ReadRange[]): Promise<LogBatch> {
    const runs = await this.client.query<RunRow>(
      `select place, last_offset, records, encoding, text_bytes, content, before_bytes + text_bytes as end_bytes from (
         select w.place, r.*, sum(r.text_bytes) over (order by w.place, r.last_offset) - r.text_bytes as before_bytes
         from unnest($1::smallint[], $2::bigint[], $3::int[]) with ordinality as w (partition, first_offset, records, place)
         cross join lateral (
           select last_offset, records, text_bytes, encoding, content from ${this.group.table.table} t
           where t.partition = w.partition and t.last_offset >= w.first_offset and t.last_offset - t.records < w.first_offset + w.records - 1
           order by t.last_offset limit w.records) r) batch
       where before_bytes < $4 order by place, last_offset`,
      [ranges.map(({ partition }) => partition), ranges.map(({ firstOffset }) => firstOffset), ranges.map(({ records }) => records), MAX_BATCH_BYTES],
    );
    const records = runs.flatMap((run) => this.recordsOf(run, ranges[Number(run.place) - 1]!));
    const cut = Number(runs.at(-1)?.end_bytes ?? 0) >= MAX_BATCH_BYTES;
    // Uncut, a range counts as read to its end even where retention dropped records of it.
    const steps = ranges.map(({ partition, firstOffset, records: count }) => ({ partition, from: firstOffset, to: firstOffset + count }));
    return { records, steps: cut ? cutSteps(steps, records) : steps };
  }

  /** The part of a run that lies in `range`. */
  private recordsOf(run: RunRow, { partition, firstOffset, records }: ReadRange): LogRecord[] {
    const { topic } = this.group;
    const runOffset = Number(run.last_offset) - run.records + 1;
    const all = unpackRun({ ...run, textBytes: run.text_bytes }).map(({ key, value }, index) => ({ topic, partition, offset: runOffset + index, key, value }));
    return all.slice(Math.max(0, firstOffset - runOffset), firstOffset + records - runOffset);
  }
}

function cutSteps(steps: LogBatch['steps'], records: readonly LogRecord[]): LogBatch['steps'] {
  const last = new Map(records.map(({ partition, offset }) => [partition, offset]));
  return steps.filter(({ partition }) => last.has(partition)).map((step) => ({ ...step, to: last.get(step.partition)! + 1 }));
}

/** Members of a group, in all processes. */
export async function countMembers(client: LogClient, groupId: number): Promise<number> {
  const [row] = await client.query<{ members: number }>(
    `select count(*)::int as members from pg_locks
     where locktype = 'advisory' and classid = $1::oid and objid = $2::oid and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database())`,
    [groupId, MEMBER_KEY],
  );
  return row!.members;
}
