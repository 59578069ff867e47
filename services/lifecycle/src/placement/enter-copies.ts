// Rows of verified copies: new ones, or in the place of bad ones. A copy that somebody else has entered or mended meanwhile stays.
import type { ImagingDatabase } from '@perennia/persistence';
import type { PlacedCopy } from './copy-pack.js';

export interface EnteredCopies {
  bucket: number;
  tier: string;
  copyNumber: number;
  copies: readonly PlacedCopy[];
  nowMs: number;
}

// The length says that the instance has not got other bytes meanwhile (another File Meta Information, see adoptCopy).
const ENTER = `
insert into imaging.copy (bucket, instance_id, copy_number, tier, object_key, offset_bytes, length_bytes, object_sha256, state, verified_at)
select $1, r.id, $2, $3, r.object_key, r.offset_bytes, r.length_bytes, r.object_sha256, 'verified', $9
from unnest($4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::bytea[]) as r (id, object_key, offset_bytes, length_bytes, object_sha256)
join imaging.instance i on i.bucket = $1 and i.id = r.id and i.object_length = r.length_bytes
on conflict (bucket, instance_id, copy_number) do update set tier = excluded.tier, object_key = excluded.object_key, offset_bytes = excluded.offset_bytes,
  length_bytes = excluded.length_bytes, object_sha256 = excluded.object_sha256, state = 'verified', verified_at = excluded.verified_at
where copy.state = 'suspect'
returning 1`;

/** @returns how many were entered */
export async function enterCopies(imaging: ImagingDatabase, { bucket, tier, copyNumber, copies, nowMs }: EnteredCopies): Promise<number> {
  const rows = await imaging.query(ENTER, [
    bucket, copyNumber, tier, copies.map(({ id }) => id), copies.map(({ key }) => key), copies.map(({ offset }) => offset), copies.map(({ length }) => length),
    copies.map(({ objectSha256 }) => `\\x${objectSha256}`), new Date(nowMs).toISOString(),
  ]);
  return rows.length;
}
