// A whole object of unknown size by one request, compared with its digest; of one that is too large only its beginning.
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { CorruptDataError, UnavailableError } from '@perennia/errors';
import type { S3Bucket } from './s3-bucket.js';
import { MAX_ATTEMPTS } from './s3-calls.js';

/** @throws NotFoundError; CorruptDataError when it is damaged twice; UnavailableError */
export async function readUpTo(bucket: S3Bucket, key: string, mostBytes: number): Promise<Buffer> {
  let damaged = 0;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    if (attempt > 1) await bucket.calls.pause(attempt - 1);
    const { bytes, sizeBytes, sha256 } = await readOnce(bucket, key, mostBytes);
    if (bytes.length < Math.min(sizeBytes, mostBytes)) continue;
    const isProven = sha256 === undefined || sha256.includes('-') || bytes.length < sizeBytes;
    if (isProven || createHash('sha256').update(bytes).digest('base64') === sha256) return bytes;
    // On its way, or where it stands: a second look tells.
    if (++damaged === 2) throw new CorruptDataError('The object read is not the object that was stored.', { details: { key } });
  }
  throw new UnavailableError('The object store breaks off again and again.', { details: { key }, remedy: 'Check the network before the object store.' });
}

async function readOnce(bucket: S3Bucket, key: string, mostBytes: number): Promise<{ bytes: Buffer; sizeBytes: number; sha256: string | undefined }> {
  const answer = await bucket.calls.run('GetObject', (abortSignal) => bucket.client.send(new GetObjectCommand(bucket.at(key)), { abortSignal }));
  const body = answer.Body as Readable;
  const chunks: Buffer[] = [];
  let length = 0;
  const startedMs = bucket.calls.clock.monotonicMs();
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= mostBytes) break;
    }
  } catch {
    bucket.calls.bodyFailed('GetObject', bucket.calls.clock.monotonicMs() - startedMs);
  } finally {
    body.destroy();
  }
  return { bytes: Buffer.concat(chunks).subarray(0, mostBytes), sizeBytes: answer.ContentLength ?? length, sha256: answer.ChecksumSHA256 };
}
