// Ids of receipts: UUID version 7 (RFC 9562 §5.7), so that they sort by time. Random bytes are drawn for many at once, because each
// call of the generator costs more than all else about an id.
import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES_EACH = 16;
const pool = Buffer.allocUnsafe(BYTES_EACH * 256);
let used = pool.length;

export function newReceiptId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return v7({ random: pool.subarray(used, (used += BYTES_EACH)) });
}
