// Puts objects aside whose bytes are not those that were received: their copies are marked suspect and never filed, their study says so,
// and their landing segment stays, because nothing of it may be overwritten before a good copy has come.
import { LANDING_TIER } from '@perennia/contracts';
import { placeJob, type JobQueue } from '@perennia/jobs';
import type { OutboxWriter } from '@perennia/messaging';
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock, Logger, Metrics } from '@perennia/telemetry';
import { CHANGED_STUDY, studyChanged, type ChangedStudy } from '../study-changes.js';
import type { FilingRecord } from './filing-record.js';

const SUSPECT_COPIES = `
update imaging.copy c set state = 'suspect' from unnest($1::smallint[], $2::uuid[], $3::smallint[]) as r (bucket, id, copy_number)
where c.bucket = r.bucket and c.instance_id = r.id and c.copy_number = r.copy_number and c.state <> 'suspect'
returning c.bucket, c.instance_id`;

const SUSPECT_DUPLICATES = `
update imaging.duplicate d set state = 'suspect' from unnest($1::smallint[], $2::uuid[]) as r (bucket, id)
where d.bucket = r.bucket and d.id = r.id and d.state = 'pending' and d.tier = '${LANDING_TIER}'`;

const TOUCH_STUDIES = `
update imaging.study s set version = s.version + 1
from (select distinct i.bucket, i.study_id from unnest($1::smallint[], $2::uuid[]) as r (bucket, id)
      join imaging.instance i on i.bucket = r.bucket and i.id = r.id) as touched
where s.bucket = touched.bucket and s.id = touched.study_id returning ${CHANGED_STUDY}`;

export type BadObject = Pick<FilingRecord, 'kind' | 'bucket' | 'id'> & { copyNumber?: number };

export class Quarantine {
  private readonly suspects;

  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly outbox: OutboxWriter,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly log: Logger,
    metrics: Metrics,
  ) {
    this.suspects = metrics.counter('vna_suspect_objects_total', 'Objects found with other bytes than were received');
  }

  /** A copy of an instance is the first where no number is given. Repair from another copy is asked for, if there is one. */
  async add(records: readonly BadObject[]): Promise<void> {
    if (records.length === 0) return;
    const keysOf = (kind: FilingRecord['kind']): unknown[] => {
      const chosen = records.filter((record) => record.kind === kind);
      return [chosen.map(({ bucket }) => bucket), chosen.map(({ id }) => id)];
    };
    await this.imaging.transaction(async (sql) => {
      const marked = await sql.query<{ bucket: number; instance_id: string }>(
        SUSPECT_COPIES, [...keysOf('instance'), records.filter(({ kind }) => kind === 'instance').map(({ copyNumber = 1 }) => copyNumber)]);
      await sql.query(SUSPECT_DUPLICATES, keysOf('conflict'));
      const touched = await sql.query<ChangedStudy>(TOUCH_STUDIES, [marked.map(({ bucket }) => bucket), marked.map(({ instance_id }) => instance_id)]);
      await this.outbox.write(sql, touched.map((study) => studyChanged(study, ['suspect'], this.clock.nowMs())));
      await this.jobs.enqueue(touched.map(({ id, bucket }) => placeJob(bucket, id)), sql);
    });
    this.suspects.inc(records.length);
    for (const { kind, id } of records) this.log.error({ kind, receiptId: id }, 'An object has other bytes than were received; it is kept aside');
  }
}
