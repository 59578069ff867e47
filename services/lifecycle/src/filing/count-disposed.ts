// Counts landing records that are disposed of, per segment, in the transaction that does it: each record is counted exactly once. The
// process that owns the landing area releases a segment when its count is full.
import type { SqlRunner } from '@perennia/persistence';

// A segment's row is made here if its owner has not announced it yet. Sorted, and last in each transaction: the rows are shared by all.
const COUNT = `
insert into imaging.segment as s (owner, generation, object_key, disposed_records)
select split_part(object_key, '/', 1), split_part(object_key, '@', 2)::bigint, object_key, count(*)
from unnest($1::text[]) as object_key group by object_key order by 1, 2
on conflict (owner, generation) do update set disposed_records = s.disposed_records + excluded.disposed_records`;

/** @param objectKeys of the landing segments, one for each record */
export async function countDisposed(sql: SqlRunner, objectKeys: readonly string[]): Promise<void> {
  if (objectKeys.length > 0) await sql.query(COUNT, [objectKeys]);
}
