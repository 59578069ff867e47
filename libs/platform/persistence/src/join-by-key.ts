// For transactions that look up thousands of rows of partitioned tables by their primary key. The planner counts the index of every
// partition for each row, though only one of them is opened, and so reads whole tables up to about a million rows.
import type { SqlRunner } from './database.js';

const SETTINGS = ['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan'];

/** Until the end of the transaction rows are joined one by one, through an index. */
export async function joinByKey(transaction: SqlRunner): Promise<void> {
  await transaction.query(`select ${SETTINGS.map((setting) => `set_config('${setting}', 'off', true)`).join(', ')}`);
}
