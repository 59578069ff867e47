// What needs a person: refused objects, and objects kept aside.
import type { ControlDatabase, ImagingDatabase } from '@perennia/persistence';

export interface RefusedObject {
  refusedAt: string;
  road: string;
  status: string;
  reasonCode: string;
  reason: string;
  source: string;
  sopInstanceUid: string | null;
}

export const readRefusals = (control: ControlDatabase, limit: number): Promise<RefusedObject[]> =>
  control.query<RefusedObject>(
    `select to_char(refused_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "refusedAt", road, status, reason_code as "reasonCode", reason,
            concat_ws(' ', source->>'profile', source->>'callingAet', source->>'peer') as source, sop_instance_uid as "sopInstanceUid"
     from control.refusal order by refused_at desc limit $1`,
    [limit],
  );

export interface QuarantinedObject {
  receivedAt: string;
  /** `conflict`: another object with this UID is served; `suspect`: the bytes are not those received. */
  kind: string;
  state: string;
  studyInstanceUid: string;
  sopInstanceUid: string;
  place: string;
}

export const readQuarantine = (imaging: ImagingDatabase, limit: number): Promise<QuarantinedObject[]> =>
  imaging.query<QuarantinedObject>(
    `select to_char(received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "receivedAt", kind, state,
            study_instance_uid as "studyInstanceUid", sop_instance_uid as "sopInstanceUid", place
     from (
       select received_at, kind, state, study_instance_uid, sop_instance_uid, tier || ' ' || object_key as place
       from imaging.duplicate where kind = 'conflict'
       union all
       select i.received_at, 'suspect', c.state, s.study_instance_uid, i.sop_instance_uid, c.tier || ' ' || c.object_key
       from imaging.copy c join imaging.instance i on i.bucket = c.bucket and i.id = c.instance_id
       join imaging.study s on s.bucket = i.bucket and s.id = i.study_id
       where c.state = 'suspect'
     ) kept_aside
     order by received_at desc limit $1`,
    [limit],
  );
