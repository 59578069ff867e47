// Uploads in parts that nobody finishes: a writer that was killed, an answer that was lost. Their parts take room and are seen by no listing of
// objects.
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { NotFoundError } from '@perennia/errors';
import type { StaleUpload } from '@perennia/storage';
import type { S3Bucket } from './s3-bucket.js';

/** Gives up the uploads of this archive that began at least so long ago, and tells which. */
export async function abortStaleUploads(bucket: S3Bucket, olderThanMs: number): Promise<StaleUpload[]> {
  const before = bucket.calls.clock.nowMs() - olderThanMs;
  const aborted: StaleUpload[] = [];
  for (let KeyMarker: string | undefined, UploadIdMarker: string | undefined, more = true; more; ) {
    const input = { Bucket: bucket.name, Prefix: bucket.prefix, KeyMarker, UploadIdMarker };
    const page = await bucket.calls.run('ListMultipartUploads', (abortSignal) => bucket.client.send(new ListMultipartUploadsCommand(input), { abortSignal }));
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      const key = bucket.keyOf(Key);
      if (key === undefined || !Initiated || Initiated.getTime() > before) continue;
      await abortUpload(bucket, { Bucket: bucket.name, Key: Key!, UploadId: UploadId! });
      aborted.push({ key, startedAt: Initiated });
    }
    more = page.IsTruncated === true && page.NextKeyMarker !== undefined;
    ({ NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page);
  }
  return aborted;
}

/** What is gone already is no error. */
export async function abortUpload(bucket: S3Bucket, input: { Bucket: string; Key: string; UploadId: string }): Promise<void> {
  try {
    await bucket.calls.run('AbortMultipartUpload', (abortSignal) => bucket.client.send(new AbortMultipartUploadCommand(input), { abortSignal }));
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}
