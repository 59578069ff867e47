// Redundant objects: equal to a kept instance by their digests. Their bytes are given up only after the kept copy has been read again and
// is good; if it is bad, the new bytes take its place. Equal digests of receipts say nothing about what stands on the disk.
import type { InstanceReceived, Place } from '@perennia/contracts';
import { mutant } from '@perennia/fault-points';
import type { ImagingDatabase } from '@perennia/persistence';
import type { PlaceReader } from '@perennia/storage';
import type { Clock, Logger } from '@perennia/telemetry';
import type { OutboxWriter } from '@perennia/messaging';
import { countDisposed } from '../filing/count-disposed.js';
import type { Quarantine } from '../filing/quarantine.js';
import { isReceived } from '../filing/read-object.js';
import { adoptCopy } from './adopt-copy.js';

const AT_ONCE = 500;

/** A redundant object and the copy that is kept instead of it. */
export interface RedundantObject {
  bucket: number;
  id: string;
  receipt: InstanceReceived;
  kept: { bucket: number; id: string; copyNumber: number; place: Place; datasetOffset: number };
}
interface RedundantRow {
  bucket: number;
  id: string;
  receipt: InstanceReceived;
  kept_bucket: number;
  kept_id: string;
  copy_number: number;
  tier: string;
  object_key: string;
  offset_bytes: number;
  length_bytes: number;
  dataset_offset: number;
}

const PENDING = `
select d.bucket, d.id, d.receipt, c.bucket as kept_bucket, c.instance_id as kept_id, c.copy_number, c.tier, c.object_key, c.offset_bytes, c.length_bytes, i.dataset_offset
from imaging.duplicate d
join imaging.instance i on i.bucket = d.instance_bucket and i.id = d.instance_id
join lateral (
  select * from imaging.copy c where c.bucket = i.bucket and c.instance_id = i.id order by c.state = 'suspect', c.copy_number limit 1) c on true
where d.state = 'pending' and d.kind = 'redundant' order by d.received_at limit ${AT_ONCE}`;

const DROP = `
update imaging.duplicate d set state = 'dropped' from unnest($1::smallint[], $2::uuid[]) as r (bucket, id)
where d.bucket = r.bucket and d.id = r.id and d.state = 'pending' and d.kind = 'redundant' returning d.object_key`;

const SUSPECT = `
update imaging.duplicate d set state = 'suspect' from unnest($1::smallint[], $2::uuid[]) as r (bucket, id)
where d.bucket = r.bucket and d.id = r.id and d.state = 'pending'`;

export interface DisposeDuplicatesParts {
  imaging: ImagingDatabase;
  reader: PlaceReader;
  outbox: OutboxWriter;
  quarantine: Quarantine;
  clock: Clock;
  log: Logger;
}

export class DisposeDuplicates {
  constructor(private readonly parts: DisposeDuplicatesParts) {}

  /** One round over what is pending, at most some hundred. @returns how many were disposed of */
  async once(): Promise<number> {
    const rows = await this.parts.imaging.query<RedundantRow>(PENDING);
    let disposed = 0;
    // A kept copy is read once, however often its instance was sent again.
    for (const group of Map.groupBy(rows.map(redundantObject), ({ kept }) => kept.id).values()) disposed += await this.dispose(group);
    return disposed;
  }

  private async dispose(group: readonly RedundantObject[]): Promise<number> {
    const [{ kept, receipt }] = group as [RedundantObject];
    const keptIsGood = mutant('duplicate-by-digest-alone') || (await isReceived(this.parts.reader, kept.place, { ...receipt, datasetOffset: kept.datasetOffset }));
    if (keptIsGood) return this.drop(group);
    for (const redundant of group) {
      if (!(await isReceived(this.parts.reader, redundant.receipt.place, redundant.receipt))) {
        await this.parts.imaging.query(SUSPECT, keysOf([redundant]));
        continue;
      }
      await adoptCopy(this.parts, redundant);
      this.parts.log.warn({ receiptId: kept.id, by: redundant.id }, 'A kept copy was not what had been received; the bytes sent again took its place');
      // The others of the group are compared with the new copy in the next round.
      return 1;
    }
    await this.parts.quarantine.add([{ kind: 'instance', bucket: kept.bucket, id: kept.id, copyNumber: kept.copyNumber }]);
    return 0;
  }

  private drop(group: readonly RedundantObject[]): Promise<number> {
    return this.parts.imaging.transaction(async (sql) => {
      const dropped = await sql.query<{ object_key: string }>(DROP, keysOf(group));
      await countDisposed(sql, dropped.map(({ object_key }) => object_key));
      return dropped.length;
    });
  }
}

const keysOf = (group: readonly RedundantObject[]): unknown[] => [group.map(({ bucket }) => bucket), group.map(({ id }) => id)];

function redundantObject(row: RedundantRow): RedundantObject {
  return {
    bucket: row.bucket, id: row.id, receipt: row.receipt,
    kept: {
      bucket: row.kept_bucket, id: row.kept_id, copyNumber: row.copy_number, datasetOffset: row.dataset_offset,
      place: { tier: row.tier, key: row.object_key, offset: row.offset_bytes, length: row.length_bytes },
    },
  };
}
