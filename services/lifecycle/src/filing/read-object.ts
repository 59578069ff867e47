// Reads objects for their pack: small ones whole and one ahead, so that the disk works while the last one is hashed; large ones as
// streams. Memory is at most two small objects, whatever the size of the study.
import { createHash } from 'node:crypto';
import type { Receipt } from '@perennia/contracts';
import { ArchiveError, CorruptDataError } from '@perennia/errors';
import type { PlaceReader } from '@perennia/storage';
import type { FilingRecord } from './filing-record.js';

const WHOLE_BYTES = 8 * 1024 * 1024;

export interface ReadObject {
  record: FilingRecord;
  bytes: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
}

/**
 * @param verify also digest the objects now, because nobody will do it later
 * @throws CorruptDataError, details.damaged = [receiptId]
 */
export async function* readObjects(reader: PlaceReader, records: readonly FilingRecord[], verify: boolean): AsyncGenerator<ReadObject> {
  let ahead = startRead(reader, records[0]);
  for (const [index, record] of records.entries()) {
    const whole = await ahead;
    ahead = startRead(reader, records[index + 1]);
    if (whole instanceof Error) throw whole;
    if (verify && !(whole ? isReceivedWhole(whole, record.receipt) : await isReceived(reader, record))) throw damaged(record);
    yield { record, bytes: whole ? [whole] : (reader.readStream(record.place, 0, record.place.length) as AsyncIterable<Uint8Array>) };
  }
}

/** An error is kept until its turn: the objects before it are written first. */
async function startRead(reader: PlaceReader, record: FilingRecord | undefined): Promise<Buffer | Error | null> {
  if (!record || record.place.length > WHOLE_BYTES) return null;
  try {
    return await reader.read(record.place, 0, record.place.length);
  } catch (error) {
    return error instanceof CorruptDataError ? damaged(record, error) : (error as Error);
  }
}

function isReceivedWhole(bytes: Buffer, { datasetOffset, datasetSha256 }: Receipt): boolean {
  return createHash('sha256').update(bytes.subarray(datasetOffset)).digest('hex') === datasetSha256;
}

/** Whether the bytes at the record's place are those that were received. @throws what trying again may change */
export async function isReceived(reader: PlaceReader, { place, receipt }: Pick<FilingRecord, 'place' | 'receipt'>): Promise<boolean> {
  const hash = createHash('sha256');
  const { datasetOffset } = receipt;
  try {
    for await (const chunk of reader.readStream(place, datasetOffset, place.length - datasetOffset) as AsyncIterable<Buffer>) hash.update(chunk);
  } catch (error) {
    if (error instanceof ArchiveError && !error.retriable) return false;
    throw error;
  }
  return hash.digest('hex') === receipt.datasetSha256;
}

function damaged(record: FilingRecord, cause?: unknown): CorruptDataError {
  return new CorruptDataError('The bytes of an object are not those that were received.', { cause, details: { damaged: [record.receipt.receiptId] } });
}
