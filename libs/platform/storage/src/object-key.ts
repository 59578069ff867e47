// The names of objects in a store. Hashes rather than UIDs: fixed length, no odd characters, nothing that identifies a person.
// The alphabet is ours alone: a key that does not match is refused before any store sees it.
import { createHash } from 'node:crypto';
import { bucketOf } from '@perennia/contracts';
import { InvalidInputError } from '@perennia/errors';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const KEY = /^(?:data\/[0-3][0-9a-f]{2}|work)(?:\/[A-Za-z0-9_][A-Za-z0-9._@-]*)+$/;
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._@-]*$/;
const MAX_KEY_BYTES = 240;

/** @throws InvalidInputError when `key` is not `data/{bucket}/…` or `work/…` in our alphabet */
export function assertObjectKey(key: string): void {
  if (key.length > MAX_KEY_BYTES || !KEY.test(key)) {
    throw new InvalidInputError('The object key is not one of this archive.', { details: { length: key.length } });
  }
}

/** Bucket as it stands in keys: three lower-case hex digits. */
export function bucketName(bucket: number): string {
  return bucket.toString(16).padStart(3, '0');
}

/** 128 bits of SHA-256(tenant ‖ 0x00 ‖ study UID) as 26 characters of lower-case base32 (RFC 4648 §6, no padding). */
export function studyHash(tenantId: string, studyInstanceUid: string): string {
  const digest = createHash('sha256').update(`${tenantId}\0${studyInstanceUid}`).digest();
  let text = '';
  for (let bit = 0; bit < 128; bit += 5) {
    const at = bit >> 3;
    // The last character has three bits of the hash; the rest is zero.
    const pair = (digest[at]! << 8) | (at + 1 < 16 ? digest[at + 1]! : 0);
    text += BASE32[(pair >> (11 - (bit & 7))) & 31];
  }
  return text;
}

/** `data/{bucket}/{tenant}/{studyHash}/`: all packs of one study. */
export function studyPrefix(tenantId: string, studyInstanceUid: string): string {
  if (!SEGMENT.test(tenantId)) throw new InvalidInputError('The tenant id cannot stand in an object key.');
  return `data/${bucketName(bucketOf(tenantId, studyInstanceUid))}/${tenantId}/${studyHash(tenantId, studyInstanceUid)}/`;
}

/** @param packId a UUID */
export function packKey(tenantId: string, studyInstanceUid: string, packId: string): string {
  const key = `${studyPrefix(tenantId, studyInstanceUid)}${packId}.pack`;
  assertObjectKey(key);
  return key;
}

/** A key in the area that is never locked: metadata blobs, journals, landing segments. */
export function workKey(...segments: readonly string[]): string {
  const key = `work/${segments.join('/')}`;
  assertObjectKey(key);
  return key;
}
