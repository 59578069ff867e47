// Ids of studies and series follow from tenant and UID, so that a rebuild gives the same ids (UUIDv8, RFC 9562 §5.8).
import { createHash } from 'node:crypto';

/** Deterministic id of the study or series `uid` of a tenant. */
export function surrogateId(tenantId: string, uid: string): string {
  const digest = createHash('sha256').update(`${tenantId}\0${uid}`).digest().subarray(0, 16);
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
