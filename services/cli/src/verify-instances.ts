// Reads the bytes of every copy of instances again and compares them with the digest taken while they were received. One that differs is marked
// suspect, so that it is served to nobody, and its repair from another copy is asked for.
import { createHash } from 'node:crypto';
import type { Place } from '@perennia/contracts';
import { ArchiveError, PlaceMovedError } from '@perennia/errors';
import { placeJob, type JobQueue } from '@perennia/jobs';
import type { ImagingDatabase } from '@perennia/persistence';
import type { PlaceReader } from '@perennia/storage';

export interface VerifyReport {
  instances: number;
  copies: number;
  bytes: number;
  /** Copies whose bytes are not those received, or cannot be read. */
  damaged: { sopInstanceUid: string; place: string; reason: string }[];
}
interface Row extends Omit<Place, 'key'> {
  bucket: number;
  id: string;
  copyNumber: number;
  studyId: string;
  sopInstanceUid: string;
  objectKey: string;
  datasetOffset: number;
  datasetSha256: string;
}

/** Never to be seen: an instance that stands nowhere. */
interface WithoutCopy extends Pick<Row, 'bucket' | 'id' | 'sopInstanceUid'> {
  copyNumber: null;
}

const PAGE_INSTANCES = 500;
const READERS = 2;
/** Filing moves bytes while we read: the new place is looked up again. */
const TRIES = 5;
const NO_STUDY = null;

/** Instances by their primary key, and then their copies: a page of a large archive takes as long as the first one. */
export const PAGE = `
  select i.bucket, i.id, c.copy_number as "copyNumber", i.study_id as "studyId", i.sop_instance_uid as "sopInstanceUid", c.tier,
         c.object_key as "objectKey", c.offset_bytes as "offset", c.length_bytes as "length",
         i.dataset_offset as "datasetOffset", encode(i.dataset_sha256, 'hex') as "datasetSha256"
  from (
    select bucket, id, study_id, sop_instance_uid, dataset_offset, dataset_sha256 from imaging.instance
    where (bucket, id) > ($1::smallint, $2::uuid) and ($3::text is null or study_id in (select id from imaging.study where study_instance_uid = $3))
    order by bucket, id limit $4
  ) i left join imaging.copy c on c.bucket = i.bucket and c.instance_id = i.id
  order by i.bucket, i.id, c.copy_number`;
const ONE = `
  select tier, object_key as "objectKey", offset_bytes as "offset", length_bytes as "length" from imaging.copy where bucket = $1 and instance_id = $2 and copy_number = $3`;
const MARK = `
  update imaging.copy set state = 'suspect' where bucket = $1 and instance_id = $2 and copy_number = $3 and object_key = $4 and offset_bytes = $5 and state <> 'suspect'`;

export class InstanceVerifier {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly places: PlaceReader,
    private readonly jobs: JobQueue,
  ) {}

  async verify(studyInstanceUid: string | undefined, onProgress: (report: Readonly<VerifyReport>) => void): Promise<VerifyReport> {
    const report: VerifyReport = { instances: 0, copies: 0, bytes: 0, damaged: [] };
    const rows = this.#rows(studyInstanceUid);
    const work = async (): Promise<void> => {
      for (let next = await rows.next(); !next.done; next = await rows.next()) {
        await this.#verifyOne(next.value, report);
        onProgress(report);
      }
    };
    await Promise.all(Array.from({ length: READERS }, work));
    return report;
  }

  async *#rows(studyInstanceUid: string | undefined): AsyncGenerator<Row | WithoutCopy> {
    let after: Pick<Row, 'bucket' | 'id'> = { bucket: -1, id: '00000000-0000-0000-0000-000000000000' };
    for (;;) {
      const page = await this.imaging.query<Row | WithoutCopy>(PAGE, [after.bucket, after.id, studyInstanceUid ?? NO_STUDY, PAGE_INSTANCES]);
      if (page.length === 0) return;
      yield* page;
      after = page.at(-1)!;
    }
  }

  async #verifyOne(row: Row | WithoutCopy, report: VerifyReport): Promise<void> {
    if (row.copyNumber === null) {
      report.instances += 1;
      report.damaged.push({ sopInstanceUid: row.sopInstanceUid, place: 'nowhere', reason: 'no copy of it is recorded' });
      return;
    }
    report.copies += 1;
    // Each has a first one.
    if (row.copyNumber === 1) report.instances += 1;
    report.bytes += row.length;
    const damage = await this.#damageOf(row);
    if (!damage) return;
    const { place, reason } = damage;
    report.damaged.push({ sopInstanceUid: row.sopInstanceUid, place: `${place.tier} ${place.key}`, reason });
    await this.imaging.query(MARK, [row.bucket, row.id, row.copyNumber, place.key, place.offset]);
    await this.jobs.enqueue([placeJob(row.bucket, row.studyId)]);
  }

  /** @throws what says nothing about the bytes: a store that does not answer */
  async #damageOf(row: Row): Promise<{ place: Place; reason: string } | undefined> {
    let place: Place = { tier: row.tier, key: row.objectKey, offset: row.offset, length: row.length };
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#digest(place, row.datasetOffset)) === row.datasetSha256 ? undefined : { place, reason: 'its bytes are not those received' };
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        const moved = error instanceof PlaceMovedError;
        if (error.retriable && (!moved || attempt === TRIES)) throw error;
        if (!moved) return { place, reason: error.message };
        const [found] = await this.imaging.query<Omit<Place, 'key'> & { objectKey: string }>(ONE, [row.bucket, row.id, row.copyNumber]);
        if (!found) return undefined;
        place = { tier: found.tier, key: found.objectKey, offset: found.offset, length: found.length };
      }
    }
  }

  async #digest(place: Place, datasetOffset: number): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.places.chunks(place, datasetOffset, place.length - datasetOffset)) hash.update(chunk);
    return hash.digest('hex');
  }
}
