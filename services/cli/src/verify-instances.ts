// Reads the bytes of instances again and compares them with the digest taken while they were received.
import { createHash } from 'node:crypto';
import type { Place } from '@perennia/contracts';
import { ArchiveError, PlaceMovedError } from '@perennia/errors';
import type { ImagingDatabase } from '@perennia/persistence';
import type { PlaceReader } from '@perennia/storage';

export interface VerifyReport {
  instances: number;
  bytes: number;
  /** Instances whose bytes are not those received, or cannot be read. */
  damaged: { sopInstanceUid: string; place: string; reason: string }[];
}
interface Row extends Omit<Place, 'key'> {
  bucket: number;
  id: string;
  sopInstanceUid: string;
  objectKey: string;
  datasetOffset: number;
  datasetSha256: string;
}

const PAGE_ROWS = 500;
const READERS = 2;
/** Filing moves bytes while we read: the new place is looked up again. */
const TRIES = 5;
const NO_STUDY = null;

const PAGE = `
  select i.bucket, i.id, i.sop_instance_uid as "sopInstanceUid", c.tier, c.object_key as "objectKey", c.offset_bytes as "offset", c.length_bytes as "length",
         i.dataset_offset as "datasetOffset", encode(i.dataset_sha256, 'hex') as "datasetSha256"
  from imaging.instance i join imaging.copy c on c.bucket = i.bucket and c.instance_id = i.id
  where (i.bucket, i.id) > ($1::smallint, $2::uuid) and ($3::text is null or i.study_id in (select id from imaging.study where study_instance_uid = $3))
  order by i.bucket, i.id limit $4`;
const ONE = `
  select tier, object_key as "objectKey", offset_bytes as "offset", length_bytes as "length" from imaging.copy where bucket = $1 and instance_id = $2 order by copy_number limit 1`;

export class InstanceVerifier {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly places: PlaceReader,
  ) {}

  async verify(studyInstanceUid: string | undefined, onProgress: (report: Readonly<VerifyReport>) => void): Promise<VerifyReport> {
    const report: VerifyReport = { instances: 0, bytes: 0, damaged: [] };
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

  async *#rows(studyInstanceUid: string | undefined): AsyncGenerator<Row> {
    let after: Pick<Row, 'bucket' | 'id'> = { bucket: -1, id: '00000000-0000-0000-0000-000000000000' };
    for (;;) {
      const page = await this.imaging.query<Row>(PAGE, [after.bucket, after.id, studyInstanceUid ?? NO_STUDY, PAGE_ROWS]);
      yield* page;
      if (page.length < PAGE_ROWS) return;
      after = page.at(-1)!;
    }
  }

  async #verifyOne(row: Row, report: VerifyReport): Promise<void> {
    report.instances += 1;
    report.bytes += row.length;
    const reason = await this.#damageOf(row);
    if (reason !== undefined) report.damaged.push({ sopInstanceUid: row.sopInstanceUid, place: `${row.tier} ${row.objectKey}`, reason });
  }

  async #damageOf(row: Row): Promise<string | undefined> {
    let place: Place = { tier: row.tier, key: row.objectKey, offset: row.offset, length: row.length };
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#digest(place, row.datasetOffset)) === row.datasetSha256 ? undefined : 'its bytes are not those received';
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        if (!(error instanceof PlaceMovedError) || attempt === TRIES) return error.message;
        const [moved] = await this.imaging.query<Omit<Place, 'key'> & { objectKey: string }>(ONE, [row.bucket, row.id]);
        if (!moved) return undefined;
        place = { tier: moved.tier, key: moved.objectKey, offset: moved.offset, length: moved.length };
      }
    }
  }

  async #digest(place: Place, datasetOffset: number): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.places.chunks(place, datasetOffset, place.length - datasetOffset)) hash.update(chunk);
    return hash.digest('hex');
  }
}
