// One large object: its bytes, its receipt, and a trailer that says how long both are.
import { crc32 } from 'node:zlib';
import { CorruptDataError, NotFoundError } from '@perennia/errors';
import type { ObjectStore } from '@perennia/storage';

const MAGIC = 0x42_4c_4e_50; // "PNLB"
export const TRAILER_BYTES = 24;

export function encodeTrailer(objectBytes: number, receipt: Buffer): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(receipt.length, 4);
  bytes.writeBigUInt64LE(BigInt(objectBytes), 8);
  bytes.writeUInt32LE(crc32(receipt), 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/** @throws NotFoundError, CorruptDataError */
export async function readLargeReceipt(store: ObjectStore, key: string): Promise<{ objectBytes: number; receipt: Buffer }> {
  const found = await store.head(key);
  if (!found) throw new NotFoundError('There is no large object of that name in the landing area.', { details: { key } });
  const trailer = await store.read(key, Math.max(0, found.sizeBytes - TRAILER_BYTES), Math.min(TRAILER_BYTES, found.sizeBytes));
  const isWhole = trailer.length === TRAILER_BYTES && trailer.readUInt32LE(0) === MAGIC && crc32(trailer.subarray(0, 20)) === trailer.readUInt32LE(20);
  const receiptBytes = isWhole ? trailer.readUInt32LE(4) : 0;
  const objectBytes = isWhole ? Number(trailer.readBigUInt64LE(8)) : 0;
  if (!isWhole || objectBytes + receiptBytes + TRAILER_BYTES !== found.sizeBytes) throw new CorruptDataError('A large object of the landing area is not as it was written.', { details: { key } });
  const receipt = await store.read(key, objectBytes, receiptBytes);
  if (crc32(receipt) !== trailer.readUInt32LE(16)) throw new CorruptDataError('The receipt of a large object is not as it was written.', { details: { key } });
  return { objectBytes, receipt };
}
