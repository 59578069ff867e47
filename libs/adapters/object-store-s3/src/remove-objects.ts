// Removes many objects by few requests. On a bucket with versions every version goes, as when one is removed.
import { DeleteObjectsCommand, ListObjectVersionsCommand, type ObjectIdentifier } from '@aws-sdk/client-s3';
import type { S3Bucket } from './s3-bucket.js';
import { removeObject } from './stored-object.js';

/** The protocol's most. */
const AT_ONCE = 1000;

/** @throws ConflictError when one of them is locked; some of the others may be gone then */
export async function removeObjects(bucket: S3Bucket, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += AT_ONCE) await removeSome(bucket, keys.slice(at, at + AT_ONCE));
}

async function removeSome(bucket: S3Bucket, keys: readonly string[]): Promise<void> {
  const wanted = bucket.hasVersions ? await versionsOf(bucket, keys) : keys.map((key) => ({ Key: bucket.at(key).Key }));
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const input = { Bucket: bucket.name, Delete: { Objects: wanted.slice(at, at + AT_ONCE) } };
    const answer = await bucket.calls.run('DeleteObjects', (abortSignal) => bucket.client.send(new DeleteObjectsCommand(input), { abortSignal }));
    // By itself it tells what is in its way.
    for (const { Key } of answer.Errors ?? []) await removeObject(bucket, bucket.keyOf(Key) ?? keys[0]!);
    if (bucket.hasVersions || !answer.Deleted?.some(({ DeleteMarker }) => DeleteMarker)) continue;
    // Somebody has switched versions on meanwhile.
    bucket.hasVersions = true;
    return removeSome(bucket, keys);
  }
}

/** Every version and delete marker of the keys, by listing what they have in common. */
export async function versionsOf(bucket: S3Bucket, keys: readonly string[]): Promise<ObjectIdentifier[]> {
  const wanted = new Set(keys.map((key) => bucket.at(key).Key));
  const [first, last] = [[...wanted].toSorted()[0]!, [...wanted].toSorted().at(-1)!];
  const found: ObjectIdentifier[] = [];
  for (let KeyMarker: string | undefined, VersionIdMarker: string | undefined, more = true; more; ) {
    const input = { Bucket: bucket.name, Prefix: commonPrefix(first, last), KeyMarker, VersionIdMarker };
    const page = await bucket.calls.run('ListObjectVersions', (abortSignal) => bucket.client.send(new ListObjectVersionsCommand(input), { abortSignal }));
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) if (wanted.has(Key!)) found.push({ Key: Key!, VersionId });
    more = page.IsTruncated === true && page.NextKeyMarker !== undefined;
    ({ NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page);
  }
  return found;
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return a.slice(0, length);
}
