// A range as a stream of chunks, never short: what a broken body did not bring is asked for again, of the very same object. A whole object
// that was stored in one piece is compared with its digest where the answer shows it, and always when it is read `uncached`; ranges are
// compared by their readers, who know what they look for.
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { CancelledError, ConflictError, CorruptDataError, InvalidInputError, NotFoundError, UnavailableError } from '@perennia/errors';
import type { ReadOptions } from '@perennia/storage';
import type { S3Bucket } from './s3-bucket.js';
import { MAX_ATTEMPTS } from './s3-calls.js';
import { WrongAnswer } from './s3-errors.js';
import { lookAt } from './stored-object.js';

/** A body that brought so much before it broke counts as progress. */
const PROGRESS_BYTES = 256 * 1024;
const RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/;

interface OpenBody {
  body: Readable;
  etag: string | undefined;
  totalBytes: number;
  sha256: string | undefined;
}

/** @throws as ObjectStore.read; CorruptDataError after the last chunk of a whole object that is not what was stored */
export async function* readRange(bucket: S3Bucket, key: string, offset: number, length: number, options: ReadOptions): AsyncGenerator<Buffer> {
  bucket.at(key);
  if (options.signal?.aborted) throw new CancelledError('Reading was given up.');
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) throw outside(key, offset, length);
  if (length === 0) return await assertInside(bucket, key, offset);
  const end = offset + length;
  let hash: Hash | undefined;
  let first: OpenBody | undefined;
  let fruitless = 0;
  for (let at = offset; at < end; ) {
    const from = at;
    const open = await openBody(bucket, key, at, end, first?.etag, options.signal);
    if (!first && open.totalBytes === length) hash = createHash('sha256');
    first ??= open;
    if (end > open.totalBytes) {
      open.body.destroy();
      throw outside(key, offset, length, open.totalBytes);
    }
    for await (const chunk of bytesOf(bucket, open.body, options.signal)) {
      const wanted = chunk.subarray(0, end - at);
      hash?.update(wanted);
      at += wanted.length;
      yield wanted;
    }
    if (at >= end) break;
    fruitless = at - from >= PROGRESS_BYTES ? 0 : fruitless + 1;
    if (fruitless >= MAX_ATTEMPTS) throw new UnavailableError('The object store breaks off again and again.', { details: { key }, remedy: 'Check the network before the object store.' });
    await bucket.calls.pause(fruitless + 1, false, options.signal);
  }
  if (!hash) return;
  // Not every server shows the digest beside a range.
  const stored = first?.sha256 ?? (options.uncached ? (await lookAt(bucket, key, { signal: options.signal }))?.sha256 : undefined);
  if (stored !== undefined && !stored.includes('-') && hash.digest('base64') !== stored) throw new CorruptDataError('The object read is not the object that was stored.', { details: { key } });
}

/** Ends early where the connection breaks. @throws CancelledError */
async function* bytesOf(bucket: S3Bucket, body: Readable, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const startedMs = bucket.calls.clock.monotonicMs();
  const abort = (): void => void body.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const step = await chunks.next().catch(() => undefined);
      if (signal?.aborted) throw new CancelledError('Reading was given up.');
      if (!step) bucket.calls.bodyFailed('GetObject', bucket.calls.clock.monotonicMs() - startedMs);
      if (!step || step.done) return;
      yield step.value;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    body.destroy();
  }
}

async function openBody(bucket: S3Bucket, key: string, at: number, end: number, etag: string | undefined, signal: AbortSignal | undefined): Promise<OpenBody> {
  const input = { ...bucket.at(key), Range: `bytes=${at}-${end - 1}`, ...(etag !== undefined && { IfMatch: etag }) };
  try {
    return await bucket.calls.run('GetObject', async (abortSignal) => {
      const answer = await bucket.client.send(new GetObjectCommand(input), { abortSignal });
      return { body: answer.Body as Readable, etag: answer.ETag, sha256: answer.ChecksumSHA256, totalBytes: totalBytesOf(answer, at, end) };
    }, { signal });
  } catch (error) {
    if (etag === undefined || !(error instanceof ConflictError)) throw error;
    throw new CorruptDataError('The object is no longer the one whose reading began.', { cause: error, details: { key } });
  }
}

/** @throws WrongAnswer when the answer is another range than the one asked for */
function totalBytesOf(answer: GetObjectCommandOutput, at: number, end: number): number {
  const [, from, to, total] = (RANGE.exec(answer.ContentRange ?? '') ?? []).map(Number);
  if (from === at && to === Math.min(end, total!) - 1 && answer.ContentLength === to - from + 1) return total!;
  (answer.Body as Readable | undefined)?.destroy();
  throw new WrongAnswer('The object store answers another range than the one asked for.');
}

async function assertInside(bucket: S3Bucket, key: string, offset: number): Promise<void> {
  const found = await lookAt(bucket, key);
  if (!found) throw new NotFoundError('There is no object of that name.', { details: { key } });
  if (offset > found.sizeBytes) throw outside(key, offset, 0, found.sizeBytes);
}

function outside(key: string, offset: number, length: number, sizeBytes?: number): InvalidInputError {
  return new InvalidInputError('The range does not lie inside the object.', { details: { key, offset, length, sizeBytes: sizeBytes ?? null } });
}
