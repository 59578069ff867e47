// The end of a receipt whose way is recorded: its traceparent, which can be read without parsing what stands before.
import type { LandedRecord } from '@perennia/storage';
import { TRACEPARENT_CHARACTERS } from '@perennia/telemetry';

const BEFORE = ',"traceparent":"';
const AFTER = '"}';
const TAIL_BYTES = BEFORE.length + TRACEPARENT_CHARACTERS + AFTER.length;
/** The last character of a traceparent that is sampled; without one there is a letter, the last of `onConflict`. */
const SAMPLED = '1'.charCodeAt(0);

export const receiptTail = (traceparent: string): string => `${BEFORE}${traceparent}${AFTER}`;

/** For nearly all receipts it costs a look at one byte. */
export function traceparentOf({ receipt }: Pick<LandedRecord, 'receipt'>): string | undefined {
  if (receipt[receipt.length - AFTER.length - 1] !== SAMPLED || receipt.length < TAIL_BYTES) return undefined;
  const tail = receipt.toString('latin1', receipt.length - TAIL_BYTES);
  return tail.startsWith(BEFORE) ? tail.slice(BEFORE.length, -AFTER.length) : undefined;
}
