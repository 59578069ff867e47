// Where filing finds the traces that it goes on with: in `ext` of the few instances whose way is recorded, so that all others cost nothing,
// neither a column nor a parameter. Nothing reads it but filing, and neither packs nor the digest of the catalogue hold it.
import type { SqlRunner } from '@perennia/persistence';
import type { IncomingInstance } from '../incoming-instance.js';

const KEEP_TRACES = `
update imaging.instance i set ext = i.ext || jsonb_build_object('traceparent', r.traceparent)
from unnest($1::smallint[], $2::uuid[], $3::text[]) as r (bucket, id, traceparent) where i.bucket = r.bucket and i.id = r.id`;

/** Receipts that became no instance are passed over. */
export async function keepTraces(sql: SqlRunner, batch: readonly IncomingInstance[]): Promise<void> {
  const traced = batch.filter(({ traceparent }) => traceparent !== undefined);
  if (traced.length === 0) return;
  // Planned each time: a plan from when the table was small would read all of it.
  await sql.query(KEEP_TRACES, [traced.map(({ receipt }) => receipt.bucket), traced.map(({ receipt }) => receipt.receiptId), traced.map(({ traceparent }) => traceparent)]);
}
