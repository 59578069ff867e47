// The bucket is the unit of scale: it prefixes pack keys, selects the log partition and is part of every imaging key.
import { hash } from 'node:crypto';

/** Number of buckets of an installation; fixed for ever. */
export const BUCKETS = 1024;

/** First 10 bits of SHA-256(tenantId ‖ 0x00 ‖ studyInstanceUid): 0…1023. */
export function bucketOf(tenantId: string, studyInstanceUid: string): number {
  return Number.parseInt(hash('sha256', `${tenantId}\0${studyInstanceUid}`).slice(0, 4), 16) >> 6;
}

/** The partition of a bucket in a topic of `partitions` partitions (a power of two up to 1024). */
export function partitionOfBucket(bucket: number, partitions: number): number {
  return Math.floor((bucket * partitions) / BUCKETS);
}
