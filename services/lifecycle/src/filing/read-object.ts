// Reads objects for their pack, chunk by chunk in memory that is used again: whatever the size of object and study.
import { createHash } from 'node:crypto';
import type { Place, Receipt } from '@perennia/contracts';
import { ArchiveError, CorruptDataError } from '@perennia/errors';
import type { PlaceReader } from '@perennia/storage';
import type { FilingRecord } from './filing-record.js';

export interface ReadObject {
  record: FilingRecord;
  /** A chunk is valid until the next is asked for. */
  bytes: AsyncIterable<Uint8Array>;
}

/**
 * @param verify also digest the objects now, because nobody will do it later
 * @throws CorruptDataError, details.damaged = [receiptId]
 */
export async function* readObjects(reader: PlaceReader, records: readonly FilingRecord[], verify: boolean): AsyncGenerator<ReadObject> {
  for (const record of records) {
    if (verify && !(await isReceived(reader, record.place, record.receipt.head))) throw damaged(record);
    yield { record, bytes: named(record, reader.chunks(record.place, 0, record.place.length)) };
  }
}

/** Says which object it was whose bytes cannot be read. */
async function* named(record: FilingRecord, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw error instanceof CorruptDataError ? damaged(record, error) : error;
  }
}

/** Whether the bytes at a place are those that were received. @throws what trying again may change */
export async function isReceived(
  reader: PlaceReader, place: Place, { datasetOffset, datasetSha256 }: Pick<Receipt, 'datasetOffset' | 'datasetSha256'>,
): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of reader.chunks(place, datasetOffset, place.length - datasetOffset)) hash.update(chunk);
  } catch (error) {
    if (error instanceof ArchiveError && !error.retriable) return false;
    throw error;
  }
  return hash.digest('hex') === datasetSha256;
}

function damaged(record: FilingRecord, cause?: unknown): CorruptDataError {
  return new CorruptDataError('The bytes of an object are not those that were received.', { cause, details: { damaged: [record.receipt.head.receiptId] } });
}
