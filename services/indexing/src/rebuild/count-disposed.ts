// Landing records of which a pack holds the bytes, found while rebuilding: counted, so that their segments are released.
import type { ImagingDatabase } from '@perennia/persistence';
import type { IncomingInstance } from '../incoming-instance.js';

const COUNT = `
insert into imaging.segment as s (owner, generation, object_key, disposed_records)
select split_part(object_key, '/', 1), split_part(object_key, '@', 2)::bigint, object_key, count(*)
from unnest($1::text[]) as object_key group by object_key
on conflict (owner, generation) do update set disposed_records = s.disposed_records + excluded.disposed_records`;

export async function countDisposed(imaging: ImagingDatabase, known: readonly IncomingInstance[]): Promise<void> {
  await imaging.query(COUNT, [known.map(({ receipt }) => receipt.place.key)]);
}
