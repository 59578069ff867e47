// An instance found in a second pack: that of the later pack is the one that counted. It was written because the earlier pack was not
// committed, or because its bytes had gone bad and were replaced.
import type { ImagingDatabase } from '@perennia/persistence';
import type { IncomingInstance } from '../incoming-instance.js';
import { recountStudies } from '../sql/recount-studies.js';

const ROWS = `json_to_recordset($1::json) as r (
  bucket smallint, id uuid, object_length bigint, dataset_offset int, header_length bigint, frame_index json, object_sha256 text, tier text, object_key text, offset_bytes bigint)`;

const RELOCATE_INSTANCES = `
update imaging.instance i set object_length = r.object_length, dataset_offset = r.dataset_offset, header_length = r.header_length, frame_index = r.frame_index
from ${ROWS} where i.bucket = r.bucket and i.id = r.id`;

const RELOCATE_COPIES = `
update imaging.copy c set tier = r.tier, object_key = r.object_key, offset_bytes = r.offset_bytes, length_bytes = r.object_length, object_sha256 = decode(r.object_sha256, 'hex')
from ${ROWS} where c.bucket = r.bucket and c.instance_id = r.id and c.copy_number = 1`;

export async function relocateInstances(imaging: ImagingDatabase, known: readonly IncomingInstance[]): Promise<void> {
  const rows = JSON.stringify(known.map(({ receipt, objectSha256 }) => ({
    bucket: receipt.bucket, id: receipt.receiptId, object_length: receipt.objectLength, dataset_offset: receipt.datasetOffset,
    header_length: receipt.headerLength, frame_index: receipt.frameIndex, object_sha256: objectSha256, tier: receipt.place.tier, object_key: receipt.place.key, offset_bytes: receipt.place.offset,
  })));
  await imaging.transaction(async (sql) => {
    await sql.query(RELOCATE_INSTANCES, [rows]);
    await sql.query(RELOCATE_COPIES, [rows]);
    await recountStudies(sql, [...new Set(known.map(({ studyId }) => studyId))]);
  });
}
