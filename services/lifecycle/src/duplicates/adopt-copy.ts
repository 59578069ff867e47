// Puts the bytes that were sent again in the place of a copy that has gone bad. The dataset is the same; File Meta Information need not
// be, so lengths and offsets are those of the new object. The study opens again and the new bytes are filed like any others.
import { LANDING_TIER } from '@perennia/contracts';
import type { OutboxWriter } from '@perennia/messaging';
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock } from '@perennia/telemetry';
import { countDisposed } from '../filing/count-disposed.js';
import { CHANGED_STUDY, studyChanged, type ChangedStudy } from '../study-changes.js';
import type { RedundantObject } from './dispose-duplicates.js';

const TAKE = `
update imaging.duplicate set state = 'adopted' where bucket = $1 and id = $2 and state = 'pending' returning 1`;

const SWITCH = `
update imaging.copy set tier = $3, object_key = $4, offset_bytes = $5, length_bytes = $6, state = 'written', verified_at = null, object_sha256 = null
where bucket = $1 and instance_id = $2 and copy_number = 1`;

// The instance is described by the new object now; filing makes the other copies of it anew.
const FORGET_OTHERS = 'delete from imaging.copy where bucket = $1 and instance_id = $2 and copy_number > 1';

const DESCRIBE = `
update imaging.instance i set object_length = $3, dataset_offset = $4, header_length = $5, frame_index = $6::json
from (select object_length as length from imaging.instance where bucket = $1 and id = $2) as before
where i.bucket = $1 and i.id = $2
returning i.study_id, i.series_id, i.object_length - before.length as more_bytes, i.state`;

const SERIES = `update imaging.series set total_bytes = total_bytes + $3, version = version + 1 where bucket = $1 and id = $2`;

const STUDY = `
update imaging.study s set total_bytes = total_bytes + $3, version = version + 1, state = 'open' where bucket = $1 and id = $2 returning ${CHANGED_STUDY}`;

export async function adoptCopy(parts: { imaging: ImagingDatabase; outbox: OutboxWriter; clock: Clock }, { bucket, id, receipt, kept }: RedundantObject): Promise<void> {
  const { place } = receipt;
  await parts.imaging.transaction(async (sql) => {
    const [taken] = await sql.query(TAKE, [bucket, id]);
    if (!taken) return;
    await sql.query(SWITCH, [kept.bucket, kept.id, place.tier, place.key, place.offset, place.length]);
    await sql.query(FORGET_OTHERS, [kept.bucket, kept.id]);
    const [instance] = await sql.query<{ study_id: string; series_id: string; more_bytes: number; state: string }>(
      DESCRIBE, [kept.bucket, kept.id, receipt.objectLength, receipt.datasetOffset, receipt.headerLength, JSON.stringify(receipt.frameIndex)]);
    const { study_id, series_id, more_bytes, state } = instance!;
    const counted = state === 'current' ? more_bytes : 0;
    await sql.query(SERIES, [kept.bucket, series_id, counted]);
    const changed = await sql.query<ChangedStudy>(STUDY, [kept.bucket, study_id, counted]);
    await parts.outbox.write(sql, changed.map((study) => studyChanged(study, ['placement'], parts.clock.nowMs())));
    // The bad bytes are worth nothing now: their record, if they never left the landing area, holds its segment no longer.
    await countDisposed(sql, kept.place.tier === LANDING_TIER ? [kept.place.key] : []);
  });
}
