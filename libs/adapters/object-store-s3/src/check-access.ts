// What an object store has to show before anything is entrusted to it: it answers, the bucket is there, we may list, write, read and remove, it
// keeps SHA-256, and it never overwrites, neither by one request nor by parts. Each refusal is one sentence with what to do.
import { randomUUID } from 'node:crypto';
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, ListObjectsV2Command, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { ArchiveError, ConfigurationError, ConflictError, UnavailableError } from '@perennia/errors';
import { workKey } from '@perennia/storage';
import { readRange } from './read-range.js';
import type { S3Bucket } from './s3-bucket.js';
import { S3ObjectWriter } from './s3-object-writer.js';
import type { PartMemory } from './part-memory.js';
import { abortStaleUploads, abortUpload } from './stale-uploads.js';
import { versionsOf } from './remove-objects.js';
import { lookAt, removeObject } from './stored-object.js';

const PROBE = Buffer.from('A probe of the archive: it may be removed.\n');
/** Nobody's upload is that old: only the permission is asked for. */
const NOBODYS_AGE_MS = 100 * 365 * 24 * 3600 * 1000;

/** @throws ConfigurationError; UnavailableError when nobody answers */
export async function checkAccess(bucket: S3Bucket, memory: PartMemory, endpoint: string): Promise<void> {
  const key = workKey('probe', randomUUID());
  await step('list objects', 's3:ListBucket', endpoint, () => listOne(bucket));
  await step('list uploads', 's3:ListBucketMultipartUploads', endpoint, () => abortStaleUploads(bucket, NOBODYS_AGE_MS));
  await step('write objects', 's3:PutObject', endpoint, () => writeProbe(bucket, memory, key));
  await step('read objects', 's3:GetObject', endpoint, () => readProbe(bucket, key));
  if (bucket.hasVersions) await step('list versions', 's3:ListBucketVersions', endpoint, () => versionsOf(bucket, [key]));
  await step('refuse to overwrite', 's3:PutObject, s3:AbortMultipartUpload', endpoint, () => assertNeverOverwritten(bucket, key));
  await step('remove objects', 's3:DeleteObject, s3:DeleteObjectVersion', endpoint, () => removeObject(bucket, key));
}

async function step(what: string, permission: string, endpoint: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UnavailableError) {
      throw new UnavailableError(`The object store at ${endpoint} does not answer (${String(error.details['code'] ?? 'no answer in time')}).`, {
        cause: error, remedy: 'Check the endpoint of the tier, and that the object store runs and can be reached.',
      });
    }
    if (error instanceof ConflictError && error.details['legalHold'] === false) throw locksByItself(error);
    if (!(error instanceof ConfigurationError) || error.details['code'] !== 'AccessDenied') throw error;
    throw new ConfigurationError(`The archive may not ${what} in its bucket.`, { cause: error, details: error.details, remedy: `Give its user the permission ${permission}.` });
  }
}

async function listOne(bucket: S3Bucket): Promise<void> {
  const input = { Bucket: bucket.name, Prefix: `${bucket.prefix}work/`, MaxKeys: 1 };
  await bucket.calls.run('ListObjectsV2', (abortSignal) => bucket.client.send(new ListObjectsV2Command(input), { abortSignal }));
}

async function writeProbe(bucket: S3Bucket, memory: PartMemory, key: string): Promise<void> {
  const writer = new S3ObjectWriter(bucket, memory, key, PROBE.length);
  await writer.write(PROBE);
  await writer.commit();
}

async function readProbe(bucket: S3Bucket, key: string): Promise<void> {
  for await (const chunk of readRange(bucket, key, 0, PROBE.length, {})) if (!PROBE.equals(chunk)) throw new ConfigurationError('The object store gives back other bytes than it was given.');
  const found = await lookAt(bucket, key);
  bucket.hasVersions = found?.versionId !== undefined;
  if (found?.sha256 !== undefined) return;
  throw new ConfigurationError('The object store keeps no SHA-256 of its objects.', { remedy: 'Use an object store that keeps additional checksums (x-amz-checksum-sha256).' });
}

async function assertNeverOverwritten(bucket: S3Bucket, key: string): Promise<void> {
  const input = { ...bucket.at(key), Body: Buffer.from('overwritten'), IfNoneMatch: '*' };
  await expectRefusal(() => bucket.calls.run('PutObject', (abortSignal) => bucket.client.send(new PutObjectCommand(input), { abortSignal })));
  const target = bucket.at(key);
  const { UploadId } = await bucket.calls.run('CreateMultipartUpload', (abortSignal) => bucket.client.send(new CreateMultipartUploadCommand(target), { abortSignal }));
  const upload = { ...target, UploadId: UploadId! };
  try {
    const part = { ...upload, PartNumber: 1, Body: input.Body };
    const { ETag } = await bucket.calls.run('UploadPart', (abortSignal) => bucket.client.send(new UploadPartCommand(part), { abortSignal }));
    const complete = { ...upload, IfNoneMatch: '*', MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    await expectRefusal(() => bucket.calls.run('CompleteMultipartUpload', (abortSignal) => bucket.client.send(new CompleteMultipartUploadCommand(complete), { abortSignal })));
  } finally {
    await abortUpload(bucket, upload);
  }
}

async function expectRefusal(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ConflictError) return;
    throw error instanceof ArchiveError && error.details['status'] === 501 ? overwrites(error) : error;
  }
  throw overwrites();
}

function overwrites(cause?: unknown): ConfigurationError {
  return new ConfigurationError('The object store overwrites objects although it is asked not to (If-None-Match).', {
    cause, remedy: 'Use an object store with conditional writes: the archive never overwrites.',
  });
}

/** The area `work/` has to be cleaned, and what is to be locked is locked after it was verified. */
function locksByItself(cause: ConflictError): ConfigurationError {
  return new ConfigurationError('The bucket locks every object by itself (default retention).', { cause, remedy: 'Remove the default retention of the bucket: the archive sets the locks.' });
}
