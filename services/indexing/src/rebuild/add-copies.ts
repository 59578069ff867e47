// Copies of instances that another tier has as well. One of other length is not of the object that the catalogue describes: it stays where it is.
import type { ImagingDatabase } from '@perennia/persistence';
import type { IncomingInstance } from '../incoming-instance.js';

const SECOND_COPY = 2;
const ADD_COPIES = `
insert into imaging.copy (bucket, instance_id, copy_number, tier, object_key, offset_bytes, length_bytes, object_sha256, state)
select r.bucket, r.id, ${SECOND_COPY}, $2, r.object_key, r.offset_bytes, r.object_length, decode(r.object_sha256, 'hex'), 'written'
from json_to_recordset($1::json) as r (bucket smallint, id uuid, object_length bigint, object_sha256 text, object_key text, offset_bytes bigint)
join imaging.copy first on first.bucket = r.bucket and first.instance_id = r.id and first.copy_number = 1 and first.tier <> $2
join imaging.instance i on i.bucket = r.bucket and i.id = r.id and i.object_length = r.object_length
on conflict (bucket, instance_id, copy_number) do update
set object_key = excluded.object_key, offset_bytes = excluded.offset_bytes, object_sha256 = excluded.object_sha256`;

export async function addCopies(imaging: ImagingDatabase, tier: string, known: readonly IncomingInstance[]): Promise<void> {
  const rows = known.map(({ receipt, objectSha256 }) => ({
    bucket: receipt.bucket, id: receipt.receiptId, object_length: receipt.objectLength, object_sha256: objectSha256,
    object_key: receipt.place.key, offset_bytes: receipt.place.offset,
  }));
  // The last of several packs is the one that counted, and a statement cannot touch a row twice.
  const distinct = [...new Map(rows.map((row) => [row.id, row])).values()];
  await imaging.query(ADD_COPIES, [JSON.stringify(distinct), tier]);
}
