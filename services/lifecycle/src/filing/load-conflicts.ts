// Loads objects that contradict a kept instance and still stand in the landing area. They are filed like others, into packs of the study
// they claim to be of; but only after the instance they contradict, so that the order of packs says which came first.
import { LANDING_TIER, type InstanceReceived } from '@perennia/contracts';
import type { ImagingDatabase } from '@perennia/persistence';
import { packedReceipt } from '@perennia/storage';
import type { FilingStudy } from './filing-record.js';

const MAX_CONFLICTS = 500;

const CONFLICTS = `
select d.bucket, d.id, d.receipt from imaging.duplicate d
join imaging.copy c on c.bucket = d.instance_bucket and c.instance_id = d.instance_id and c.copy_number = 1
where d.state = 'pending' and d.kind = 'conflict' and (c.tier <> '${LANDING_TIER}' or c.state = 'suspect')
order by d.received_at, d.id limit ${MAX_CONFLICTS}`;

export async function loadConflicts(imaging: ImagingDatabase): Promise<FilingStudy[]> {
  const rows = await imaging.query<{ bucket: number; id: string; receipt: InstanceReceived }>(CONFLICTS);
  const byStudy = Map.groupBy(rows, ({ receipt }) => `${receipt.tenantId}/${receipt.studyInstanceUid}`);
  return [...byStudy.values()].map((group) => ({
    tenantId: group[0]!.receipt.tenantId, bucket: group[0]!.bucket, studyInstanceUid: group[0]!.receipt.studyInstanceUid, row: null, complete: true,
    records: group.map(({ bucket, id, receipt: { place, traceparent, ...receipt } }) => ({
      kind: 'conflict', bucket, id, receipt: packedReceipt(receipt), place, ...(traceparent !== undefined && { traceparent }),
    })),
  }));
}
