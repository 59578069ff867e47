// Reads every copy of a study again and compares it with its recorded digests: `vna verify` and the job of the same name. What differs is
// marked suspect, what was suspect and reads well again is not.
import { createHash } from 'node:crypto';
import type { Place } from '@perennia/contracts';
import { ArchiveError } from '@perennia/errors';
import type { ImagingDatabase } from '@perennia/persistence';
import type { PlaceReader } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import type { Quarantine } from '../filing/quarantine.js';

export const VERIFY_QUEUE = 'verify-study';

export interface VerifiedStudy {
  verified: number;
  bytes: number;
  /** Receipt ids of instances with a copy whose bytes differ. */
  suspect: string[];
}
export interface VerifyPayload {
  tenantId: string;
  studyInstanceUid: string;
}
interface CopyRow {
  bucket: number;
  id: string;
  copy_number: number;
  tier: string;
  object_key: string;
  offset_bytes: number;
  length_bytes: number;
  dataset_offset: number;
  dataset_sha256: string;
  object_sha256: string | null;
}

const PAGE_ROWS = 1000;
const COPIES = `
select c.bucket, i.id, c.copy_number, c.tier, c.object_key, c.offset_bytes, c.length_bytes, i.dataset_offset,
  encode(i.dataset_sha256, 'hex') as dataset_sha256, encode(c.object_sha256, 'hex') as object_sha256
from imaging.study s join imaging.instance i on i.bucket = s.bucket and i.study_id = s.id
join imaging.copy c on c.bucket = i.bucket and c.instance_id = i.id
where s.tenant_id = $1 and s.study_instance_uid = $2 and (i.id, c.copy_number) > ($3, $4::smallint) order by i.id, c.copy_number limit ${PAGE_ROWS}`;

const MARK_VERIFIED = `
update imaging.copy c set state = 'verified', verified_at = $5
from unnest($1::smallint[], $2::uuid[], $3::text[], $4::smallint[]) as r (bucket, id, object_key, copy_number)
where c.bucket = r.bucket and c.instance_id = r.id and c.copy_number = r.copy_number and c.object_key = r.object_key and c.tier <> 'landing'`;

export class VerifyStudy {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly reader: PlaceReader,
    private readonly quarantine: Quarantine,
    private readonly clock: Clock,
  ) {}

  /** @throws PlaceMovedError, UnavailableError when trying again may succeed */
  async run({ tenantId, studyInstanceUid }: VerifyPayload, signal?: AbortSignal): Promise<VerifiedStudy> {
    const result: VerifiedStudy = { verified: 0, bytes: 0, suspect: [] };
    for (let after = ['00000000-0000-0000-0000-000000000000', 0]; ; ) {
      const page = await this.imaging.query<CopyRow>(COPIES, [tenantId, studyInstanceUid, ...after]);
      const good: CopyRow[] = [];
      for (const copy of page) {
        signal?.throwIfAborted();
        if (await this.matches(copy)) good.push(copy);
        else result.suspect.push(copy.id);
        result.bytes += copy.length_bytes;
      }
      await this.mark(page, good);
      result.verified += good.length;
      if (page.length < PAGE_ROWS) return result;
      after = [page.at(-1)!.id, page.at(-1)!.copy_number];
    }
  }

  private async mark(page: readonly CopyRow[], good: readonly CopyRow[]): Promise<void> {
    await this.imaging.query(MARK_VERIFIED, [
      good.map(({ bucket }) => bucket), good.map(({ id }) => id), good.map(({ object_key }) => object_key), good.map(({ copy_number }) => copy_number),
      new Date(this.clock.nowMs()).toISOString()]);
    const bad = page.filter((copy) => !good.includes(copy));
    if (bad.length > 0) await this.quarantine.add(bad.map(({ bucket, id, copy_number }) => ({ kind: 'instance', bucket, id, copyNumber: copy_number })));
  }

  private async matches(copy: CopyRow): Promise<boolean> {
    const place: Place = { tier: copy.tier, key: copy.object_key, offset: copy.offset_bytes, length: copy.length_bytes };
    // Filed objects have a digest of their own, File Meta Information included.
    const from = copy.object_sha256 === null ? copy.dataset_offset : 0;
    const hash = createHash('sha256');
    try {
      for await (const chunk of this.reader.chunks(place, from, place.length - from)) hash.update(chunk);
    } catch (error) {
      if (error instanceof ArchiveError && !error.retriable) return false;
      throw error;
    }
    return hash.digest('hex') === (copy.object_sha256 ?? copy.dataset_sha256);
  }
}
