// The change feed: what happened to the studies of a tenant, in one order that never changes. Rows of imaging.study_change are numbered after the changes were
// committed, by one relay at a time, which commits before the next begins: who has read number n never misses a lower one.
import { ConflictError } from '@perennia/errors';
import { tenantScope, type ImagingDatabase } from '@perennia/persistence';

/** Before the first change. */
export const FEED_START = 0;

export interface StudyChange {
  /** Rises; numbers may be missing, and are also those of other tenants. */
  sequence: number;
  /** `create` is the first version of a study. Versions of one study may be told in another order than their own. */
  action: 'create' | 'update' | 'delete';
  studyInstanceUid: string;
  /** Of the study after this change. */
  studyVersion: number;
  reasons: string[];
  occurredAt: Date;
  /** `current`: nothing happened to the study since; `replaced`: a later change tells more; `deleted`: the study is not there any more. */
  state: 'current' | 'replaced' | 'deleted';
  /** As it is now; absent when it is not there. */
  study?: { version: number; numberOfSeries: number; numberOfInstances: number };
}

export interface ChangePage {
  changes: StudyChange[];
  /** Where to read on: the last number that was given, or what was asked with. */
  next: number;
  /** The highest number there is: equal to `next` when everything was read. */
  latest: number;
}

interface Row {
  sequence: number;
  study_instance_uid: string;
  study_version: number;
  reasons: string[];
  occurred_at: Date;
  version: number | null;
  number_of_series: number;
  number_of_instances: number;
}

/** $2 last number read, $3 most changes. By study_change_feed and, for each, study_uid. */
export const CHANGES_AFTER = tenantScope(`
select c.sequence, c.study_instance_uid, c.study_version, c.reasons, c.occurred_at, s.version, s.number_of_series, s.number_of_instances
from imaging.study_change c
left join imaging.study s on {tenant s} and s.study_instance_uid = c.study_instance_uid and s.bucket = c.bucket and s.state <> 'tombstoned'
where {tenant c} and c.sequence > $2 order by c.sequence limit $3`);
const LATEST = tenantScope(`select coalesce(max(c.sequence), ${FEED_START}) as latest from imaging.study_change c where {tenant c}`);

export class ChangeFeed {
  constructor(private readonly imaging: ImagingDatabase) {}

  /**
   * Changes after a number, in order.
   * @param limit most changes of the page
   * @throws ConflictError for a number that the feed has not reached: it is of another archive, or of a time that a restored backup knows nothing of
   */
  async after(tenantId: string, since: number, limit: number): Promise<ChangePage> {
    const rows = await CHANGES_AFTER.run<Row>(this.imaging, tenantId, [since, limit]);
    const latest = await this.latest(tenantId);
    if (since > latest) {
      throw new ConflictError('The change feed has not come as far as this cursor.', { remedy: 'The cursor is of another archive, or the database was restored: read the feed from its beginning.' });
    }
    return { changes: rows.map(toChange), next: rows.at(-1)?.sequence ?? since, latest };
  }

  /** The highest number there is; FEED_START when nothing has happened. */
  async latest(tenantId: string): Promise<number> {
    const [row] = await LATEST.run<{ latest: number }>(this.imaging, tenantId);
    return row!.latest;
  }
}

function toChange(row: Row): StudyChange {
  const { sequence, study_version: studyVersion, reasons, version } = row;
  const shared = { sequence, action: actionOf(row), studyInstanceUid: row.study_instance_uid, studyVersion, reasons, occurredAt: row.occurred_at };
  if (version === null) return { ...shared, state: 'deleted' };
  const study = { version, numberOfSeries: row.number_of_series, numberOfInstances: row.number_of_instances };
  return { ...shared, state: version === studyVersion ? 'current' : 'replaced', study };
}

function actionOf({ reasons, study_version: studyVersion }: Row): StudyChange['action'] {
  if (reasons.includes('deleted')) return 'delete';
  return studyVersion === 1 ? 'create' : 'update';
}
