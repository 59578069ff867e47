// The statements of the outbox relay. Rows of transactions that may still commit below what was read are out of sight: a
// plain "id greater than the last" would lose them, because sequence order is not commit order.
import { STUDY_CHANGED } from '@perennia/contracts';

export interface OutboxStatements {
  /** $1: largest number of rows. */
  read: string;
  anyLeft: string;
  /** $1, $2: xid and id of the last row that was read; all rows up to it were. */
  release: string;
}

export function outboxStatements(plane: 'control' | 'imaging'): OutboxStatements {
  const remove = `delete from ${plane}.outbox where (xid, id) <= ($1::xid8, $2::bigint)`;
  return {
    read: `select xid::text as xid, id, topic, bucket, key, value from ${plane}.outbox
           where xid < pg_snapshot_xmin(pg_current_snapshot()) order by outbox.xid, id limit $1`,
    anyLeft: `select exists (select 1 from ${plane}.outbox) as left`,
    release: plane === 'control' ? remove : `
      with gone as (${remove} returning xid, id, topic, bucket, value::jsonb as event)
      insert into imaging.study_change (tenant_id, bucket, study_instance_uid, study_version, reasons, occurred_at)
      select event ->> 'tenantId', bucket, event #>> '{data,studyInstanceUid}', (event #>> '{data,studyVersion}')::int,
             array(select jsonb_array_elements_text(event #> '{data,reasons}')), (event ->> 'occurredAt')::timestamptz
      from gone where topic = '${STUDY_CHANGED}' order by xid, id`,
  };
}
