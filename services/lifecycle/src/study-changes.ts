// The events that tell of a change of studies' rows.
import { STUDY_CHANGED, type Envelope, type StudyChanged } from '@perennia/contracts';
import { v7 as uuidv7 } from 'uuid';

/** A study as it stands after the change. */
export interface ChangedStudy {
  id: string;
  tenant_id: string;
  bucket: number;
  study_instance_uid: string;
  version: number;
  number_of_series: number;
  number_of_instances: number;
}
export const CHANGED_STUDY = 's.id, s.tenant_id, s.bucket, s.study_instance_uid, s.version, s.number_of_series, s.number_of_instances';

export function studyChanged(study: ChangedStudy, reasons: StudyChanged['reasons'], nowMs: number): Envelope<StudyChanged> {
  return {
    id: uuidv7(), type: STUDY_CHANGED, version: 1, tenantId: study.tenant_id, key: `${study.tenant_id}/${study.study_instance_uid}`, bucket: study.bucket,
    occurredAt: new Date(nowMs).toISOString(), producer: 'lifecycle',
    data: {
      studyInstanceUid: study.study_instance_uid, studyVersion: study.version, reasons,
      numberOfSeries: study.number_of_series, numberOfInstances: study.number_of_instances,
    },
  };
}
