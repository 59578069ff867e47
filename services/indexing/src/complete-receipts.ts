// Receipts whose frame index was too large for the log are completed from the landing record, where the whole one stands.
import type { Receipt } from '@perennia/contracts';
import type { PlaceReader } from '@perennia/storage';
import { incomingReceipt, type IncomingReceipt } from './incoming-receipt.js';

/** @throws PlaceMovedError, retriable, when the record is gone from the landing area: it cannot be, before it is indexed */
export async function completeReceipts(receipts: readonly IncomingReceipt[], reader: PlaceReader): Promise<readonly IncomingReceipt[]> {
  if (!receipts.some(isIncomplete)) return receipts;
  return Promise.all(receipts.map(async (receipt) => {
    if (!isIncomplete(receipt)) return receipt;
    return incomingReceipt({ ...(JSON.parse(await reader.receipt(receipt.place)) as Receipt), place: receipt.place });
  }));
}

const isIncomplete = ({ frameIndex }: IncomingReceipt): boolean => frameIndex.kind === 'reference';
