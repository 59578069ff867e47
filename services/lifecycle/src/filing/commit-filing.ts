// The one transaction that moves filed objects from the landing area to their packs, as far as readers are concerned. Its rows decide:
// two who file the same study at once leave one pack that nothing refers to, and no record is counted twice.
import { placeJob, type JobQueue } from '@perennia/jobs';
import type { OutboxWriter } from '@perennia/messaging';
import { joinByKey, type ImagingDatabase, type SqlRunner } from '@perennia/persistence';
import type { Clock } from '@perennia/telemetry';
import { METADATA_QUEUE, type MetadataPayload } from '../jobs/build-metadata.job.js';
import { CHANGED_STUDY, studyChanged, type ChangedStudy } from '../study-changes.js';
import { countDisposed } from './count-disposed.js';
import type { FiledRecord, FilingStudy } from './filing-record.js';

/** The copy that reception makes; further ones are the work of placement. */
const FIRST_COPY = 1;

interface SettledStudy extends ChangedStudy {
  state: string;
  lacks_metadata: boolean;
}

export interface FiledStudy {
  study: FilingStudy;
  filed: readonly FiledRecord[];
}

const LACKS_METADATA = `exists (
  select from imaging.series e where e.bucket = s.bucket and e.study_id = s.id and e.number_of_instances > 0 and e.metadata_version is distinct from e.version)`;

// A study that has changed since its records were read stays open: it is filed again.
const SETTLE_STUDIES = `
update imaging.study s set version = s.version + 1, state = case when r.complete and s.version = r.version then 'settled' else s.state end
from (select * from unnest($1::smallint[], $2::uuid[], $3::int[], $4::boolean[]) as r (bucket, id, version, complete) order by id) as r
where s.bucket = r.bucket and s.id = r.id returning ${CHANGED_STUDY}, s.state, ${LACKS_METADATA} as lacks_metadata`;

// Landing key and offset say that the copy is still where it was read. There is no condition on the copy alone, not even `tier = 'landing'`:
// without statistics the planner takes that for a handful of rows, begins with them and compares each with all of ours (measured: 4.4 s
// instead of 22 ms for 2000 of 20 000 rows, and growing with the table; with the key alone it can only look ours up).
export const SWITCH_COPIES = `
update imaging.copy c set tier = r.tier, object_key = r.pack_key, offset_bytes = r.offset_bytes, object_sha256 = r.object_sha256,
  state = 'verified', verified_at = $9
from unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::bytea[], $10::smallint[])
  as r (bucket, id, landing_key, landing_offset, pack_key, offset_bytes, tier, object_sha256, copy_number)
where c.bucket = r.bucket and c.instance_id = r.id and c.copy_number = r.copy_number
  and c.object_key = r.landing_key and c.offset_bytes = r.landing_offset
returning r.landing_key`;

const SWITCH_CONFLICTS = `
update imaging.duplicate d set tier = r.tier, object_key = r.pack_key, offset_bytes = r.offset_bytes, state = 'filed'
from unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[])
  as r (bucket, id, landing_key, landing_offset, pack_key, offset_bytes, tier)
where d.bucket = r.bucket and d.id = r.id and d.state = 'pending' and d.object_key = r.landing_key and d.offset_bytes = r.landing_offset
returning r.landing_key`;

export class CommitFiling {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly outbox: OutboxWriter,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    /** Whether filed studies get a copy in a second tier. */
    private readonly hasSecond: boolean,
  ) {}

  /** @returns how many objects were moved */
  commit(studies: readonly FiledStudy[]): Promise<number> {
    return this.imaging.transaction(async (sql) => {
      await joinByKey(sql);
      const changed = await this.settle(sql, studies);
      const filed = studies.flatMap((study) => study.filed);
      const moved = [...(await this.move(sql, filed, 'instance')), ...(await this.move(sql, filed, 'conflict'))];
      const nowMs = this.clock.nowMs();
      await this.outbox.write(sql, changed.map((study) => studyChanged(study, [study.state === 'settled' ? 'settled' : 'placement'], nowMs)));
      const toBuild = changed.filter(({ state, lacks_metadata }) => state === 'settled' && lacks_metadata);
      await this.jobs.enqueue(toBuild.map(({ id, bucket }) => (
        { queue: METADATA_QUEUE, dedupeKey: id, payload: { bucket, studyId: id } satisfies MetadataPayload })), sql);
      if (this.hasSecond) await this.jobs.enqueue(changed.map(({ id, bucket }) => placeJob(bucket, id)), sql);
      await countDisposed(sql, moved);
      return moved.length;
    });
  }

  private async settle(sql: SqlRunner, studies: readonly FiledStudy[]): Promise<SettledStudy[]> {
    const rows = studies.flatMap(({ study: { row, bucket, complete } }) => (row ? [{ ...row, bucket, complete }] : []));
    if (rows.length === 0) return [];
    return sql.query(SETTLE_STUDIES, [
      rows.map(({ bucket }) => bucket), rows.map(({ id }) => id), rows.map(({ version }) => version), rows.map(({ complete }) => complete)]);
  }

  /** @returns the landing keys of the records really moved */
  private async move(sql: SqlRunner, filed: readonly FiledRecord[], kind: 'instance' | 'conflict'): Promise<string[]> {
    const moving = filed.filter(({ record }) => record.kind === kind);
    if (moving.length === 0) return [];
    const parameters: unknown[] = [
      moving.map(({ record }) => record.bucket), moving.map(({ record }) => record.id), moving.map(({ record }) => record.place.key),
      moving.map(({ record }) => record.place.offset), moving.map(({ packKey }) => packKey), moving.map(({ offset }) => offset),
      moving.map(({ tier }) => tier),
    ];
    if (kind === 'instance') {
      parameters.push(moving.map(({ objectSha256 }) => `\\x${objectSha256}`), new Date(this.clock.nowMs()).toISOString(), moving.map(() => FIRST_COPY));
    }
    const rows = await sql.query<{ landing_key: string }>(kind === 'instance' ? SWITCH_COPIES : SWITCH_CONFLICTS, parameters);
    return rows.map(({ landing_key }) => landing_key);
  }
}
