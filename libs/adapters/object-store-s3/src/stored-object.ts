// What the server says that it has under a key, and its removal. On a bucket with versions the version itself is removed: a removal without
// naming it would leave every byte behind a delete marker, and would hide an object that is locked.
import { DeleteObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { type ArchiveError, ConfigurationError, ConflictError, NotFoundError } from '@perennia/errors';
import type { S3Bucket } from './s3-bucket.js';
import type { CallOptions } from './s3-calls.js';

/** User metadata that says which writer an object comes from. */
export const WRITER = 'perennia-writer';

export interface StoredObject {
  sizeBytes: number;
  /** Base64; of an object in parts the digest of their digests. Undefined where the server keeps none. */
  sha256: string | undefined;
  writer: string | undefined;
  versionId: string | undefined;
  lockedUntil: Date | undefined;
  legalHold: boolean;
}

/** More than one version of a key exists only where somebody else wrote into the bucket. */
const MAX_VERSIONS = 100;

export async function lookAt(bucket: S3Bucket, key: string, options: CallOptions = {}): Promise<StoredObject | null> {
  const input = { ...bucket.at(key), ChecksumMode: 'ENABLED' } as const;
  try {
    return storedObject(await bucket.calls.run('HeadObject', (abortSignal) => bucket.client.send(new HeadObjectCommand(input), { abortSignal }), options));
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}

/** @throws ConflictError when the object is locked: it stays, and stays visible */
export async function removeObject(bucket: S3Bucket, key: string): Promise<void> {
  for (let removed = 0; removed < MAX_VERSIONS; removed++) {
    const found = await lookAt(bucket, key);
    if (!found) return;
    const input = { ...bucket.at(key), ...(found.versionId !== undefined && { VersionId: found.versionId }) };
    try {
      await bucket.calls.run('DeleteObject', (abortSignal) => bucket.client.send(new DeleteObjectCommand(input), { abortSignal }));
    } catch (error) {
      if (error instanceof NotFoundError) continue;
      throw isLock(error, found) ? lockedError(key, found, error) : error;
    }
    if (found.versionId === undefined) return;
  }
  throw new ConflictError('The object has more versions than are removed at once.', { details: { key }, remedy: 'Find out who else writes into the bucket.' });
}

function storedObject(found: HeadObjectCommandOutput): StoredObject {
  return {
    sizeBytes: found.ContentLength ?? 0, sha256: found.ChecksumSHA256, writer: found.Metadata?.[WRITER], versionId: found.VersionId,
    lockedUntil: found.ObjectLockRetainUntilDate, legalHold: found.ObjectLockLegalHoldStatus === 'ON',
  };
}

/** Servers refuse with 400 or 403. A default retention of the bucket stands on no object with some; then the sentence of the refusal tells. */
function isLock(error: unknown, found: StoredObject): boolean {
  if (!(error instanceof ConfigurationError) && !(error instanceof ConflictError)) return false;
  return found.lockedUntil !== undefined || found.legalHold || /lock|worm|retention/i.test((error.cause as Error | undefined)?.message ?? '');
}

function lockedError(key: string, { lockedUntil, legalHold }: StoredObject, cause: unknown): ArchiveError {
  const until = legalHold ? 'under legal hold' : lockedUntil ? `locked until ${lockedUntil.toISOString()}` : 'locked by the rules of its bucket';
  return new ConflictError(`The object is ${until} and cannot be removed.`, {
    cause, details: { key, lockedUntil: lockedUntil?.toISOString() ?? null, legalHold }, remedy: 'Remove it when its lock has ended.',
  });
}
