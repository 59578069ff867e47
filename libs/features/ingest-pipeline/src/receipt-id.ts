// Ids of receipts: UUID version 7 (RFC 9562 §5.7 and §6.2), ascending within this process: whoever rebuilds the catalogue believes what was
// received first. Random bytes are drawn for many at once, because each call of the generator costs more than all else about an id.
import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES_EACH = 16;
const pool = Buffer.allocUnsafe(BYTES_EACH * 256);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

export function newReceiptId(nowMs: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += BYTES_EACH));
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // Half of the 32 bits are left to count with; a clock that was set back goes on counting too.
    sequence = random.readUInt32BE(0) >>> 1;
  } else sequence += 1;
  return v7({ random, msecs: lastMs, seq: sequence });
}
