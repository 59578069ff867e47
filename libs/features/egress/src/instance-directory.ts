// Where instances are: by UIDs from the catalogue, each with its best copy. Verified before written, filed before landed;
// suspect copies only when there is nothing else.
import { bucketOf, surrogateId } from '@perennia/contracts';
import { placeJob, type JobQueue } from '@perennia/jobs';
import type { ImagingDatabase } from '@perennia/persistence';
import type { FramedInstance, StoredCopy, StoredInstance, StoredSeries } from './stored-instance.js';

export interface InstanceSelection {
  tenantId: string;
  studyInstanceUid: string;
  seriesInstanceUid?: string;
  sopInstanceUid?: string;
}

interface CopyRow {
  copy_number: number;
  tier: string;
  object_key: string;
  offset_bytes: number;
  length_bytes: number;
  /** Of a copy that is to be proved before it is read; then lower-case hex. */
  digest: string | null;
  digest_from: number;
}
interface InstanceRow extends CopyRow {
  id: string;
  series_instance_uid: string;
  sop_instance_uid: string;
  sop_class_uid: string;
  transfer_syntax_uid: string;
  object_length: number;
  dataset_offset: number;
  header_length: number;
}
type FramedRow = InstanceRow & { number_of_frames: number; frame_index: FramedInstance['frameIndex']; bits_allocated: number | null };

/** Of equally good ones a filed copy before a landed one, and that of the tier which is read at the least cost. @param tiers name of a parameter */
const copyOrder = (tiers: string): string =>
  `array_position(array['verified', 'written', 'retiring', 'suspect'], c.state), c.tier = 'landing', array_position(${tiers}::text[], c.tier), c.copy_number`;
/** A filed copy has a digest of the whole object, others that of the dataset. @param trust name of a parameter, in milliseconds */
const copyColumns = (trust: string): string => `c.copy_number, c.tier, c.object_key, c.offset_bytes, c.length_bytes,
  case when c.state = 'suspect' or coalesce(c.verified_at, i.received_at) <= now() - ${trust}::float8 * interval '1 millisecond'
    then encode(coalesce(c.object_sha256, i.dataset_sha256), 'hex') end as digest,
  case when c.object_sha256 is null then i.dataset_offset else 0 end as digest_from`;
const lightColumns = (trust: string): string =>
  `i.id, se.series_instance_uid, i.sop_instance_uid, i.sop_class_uid, i.transfer_syntax_uid, i.object_length, i.dataset_offset, i.header_length, ${copyColumns(trust)}`;
const LIGHT_COLUMNS = lightColumns('$8');

/** $1 bucket, $2 study id, $3 tenant, $4 study UID, $5 series UID or null, $6 instance UID or null, $7 tiers in the order of reading, $8 trust in milliseconds */
const select = (columns: string, order: string): string => `
select ${columns}
from imaging.study s
join imaging.instance i on i.bucket = $1 and i.study_id = s.id and i.state = 'current' and i.tenant_id = $3
join imaging.series se on se.bucket = $1 and se.id = i.series_id and se.tenant_id = $3
join lateral (select * from imaging.copy c where c.bucket = i.bucket and c.instance_id = i.id order by ${copyOrder('$7')} limit 1) c on true
where s.bucket = $1 and s.id = $2 and s.tenant_id = $3 and s.study_instance_uid = $4 and s.state <> 'tombstoned'
  and ($5::text is null or se.series_instance_uid = $5) and ($6::text is null or i.sop_instance_uid = $6)
order by ${order}`;

const IN_STORED_ORDER = select(LIGHT_COLUMNS, 'c.tier, c.object_key, c.offset_bytes');
const IN_LISTED_ORDER = select(LIGHT_COLUMNS, 'i.series_id, i.instance_number, i.id');
const WITH_FRAMES = select(`${LIGHT_COLUMNS}, i.number_of_frames, i.frame_index, i.bits_allocated`, 'i.id');

/** $1 tenant, $2 instance UIDs, $3 tiers in the order of reading, $4 trust in milliseconds */
const BY_UID = `
select s.study_instance_uid, ${lightColumns('$4')}
from imaging.sop_directory d
join imaging.instance i on i.bucket = d.bucket and i.id = d.instance_id and i.state = 'current' and i.tenant_id = $1
join imaging.study s on s.bucket = i.bucket and s.id = i.study_id and s.tenant_id = $1 and s.state <> 'tombstoned'
join imaging.series se on se.bucket = i.bucket and se.id = i.series_id and se.tenant_id = $1
join lateral (select * from imaging.copy c where c.bucket = i.bucket and c.instance_id = i.id order by ${copyOrder('$3')} limit 1) c on true
where d.tenant_id = $1 and d.sop_instance_uid = any($2::text[])`;

export interface InstanceDirectoryParts {
  imaging: ImagingDatabase;
  jobs: JobQueue;
  /** Names, those that are read at the least cost first. */
  tiers: readonly string[];
  /** A copy whose bytes were compared with their digest so recently is given out without comparing them again. */
  trustMs: number;
}

export class InstanceDirectory {
  private readonly imaging: ImagingDatabase;

  constructor(private readonly parts: InstanceDirectoryParts) {
    this.imaging = parts.imaging;
  }

  private get readingRules(): unknown[] {
    return [this.parts.tiers, this.parts.trustMs];
  }

  /** @param order `stored`: as the bytes lie, for reading many of them; `listed`: by series and instance number */
  async instances(selection: InstanceSelection, order: 'stored' | 'listed'): Promise<StoredInstance[]> {
    const rows = await this.imaging.query<InstanceRow>(order === 'stored' ? IN_STORED_ORDER : IN_LISTED_ORDER, [...parametersOf(selection), ...this.readingRules]);
    return rows.map((row) => toInstance(row, selection));
  }

  /** Wherever they are; unknown ones are left out. */
  async instancesByUid(tenantId: string, sopInstanceUids: readonly string[]): Promise<StoredInstance[]> {
    const rows = await this.imaging.query<InstanceRow & { study_instance_uid: string }>(BY_UID, [tenantId, sopInstanceUids, ...this.readingRules]);
    return rows.map((row) => toInstance(row, { tenantId, studyInstanceUid: row.study_instance_uid }));
  }

  async framed(selection: Required<InstanceSelection>): Promise<FramedInstance | null> {
    const [row] = await this.imaging.query<FramedRow>(WITH_FRAMES, [...parametersOf(selection), ...this.readingRules]);
    return row ? { ...toInstance(row, selection), numberOfFrames: row.number_of_frames, frameIndex: row.frame_index, bitsAllocated: row.bits_allocated } : null;
  }

  async series(selection: Omit<InstanceSelection, 'sopInstanceUid'>): Promise<StoredSeries[]> {
    const { studyInstanceUid } = selection;
    const rows = await this.imaging.query<{ id: string; series_instance_uid: string; version: number; metadata_key: string | null }>(
      `select se.id, se.series_instance_uid, se.version, case when se.metadata_version = se.version then se.metadata_key end as metadata_key
       from imaging.study s join imaging.series se on se.bucket = $1 and se.study_id = s.id and se.tenant_id = $3
       where s.bucket = $1 and s.id = $2 and s.tenant_id = $3 and s.study_instance_uid = $4 and s.state <> 'tombstoned' and ($5::text is null or se.series_instance_uid = $5)
       order by se.series_number, se.id`,
      parametersOf(selection).slice(0, 5),
    );
    const bucket = bucketOf(selection.tenantId, studyInstanceUid);
    return rows.map((row) => ({ id: row.id, bucket, studyInstanceUid, seriesInstanceUid: row.series_instance_uid, version: row.version, metadataKey: row.metadata_key }));
  }

  /** UIDs of the studies of patients, by their Patient IDs. */
  async studiesOfPatients(tenantId: string, patientIds: readonly string[]): Promise<string[]> {
    const rows = await this.imaging.query<{ uid: string }>(
      `select s.study_instance_uid as uid from imaging.study s where s.tenant_id = $1 and s.patient_identifier = any($2::text[]) and s.state <> 'tombstoned' order by s.sort_date desc, s.id desc`,
      [tenantId, patientIds],
    );
    return rows.map(({ uid }) => uid);
  }

  /** The studies that series are in: a Series Instance UID may, wrongly, be in several. */
  async studiesOfSeries(tenantId: string, seriesInstanceUids: readonly string[]): Promise<string[]> {
    const rows = await this.imaging.query<{ uid: string }>(
      `select distinct s.study_instance_uid as uid from imaging.series se join imaging.study s on s.bucket = se.bucket and s.id = se.study_id
       where se.tenant_id = $1 and se.series_instance_uid = any($2::text[]) and s.tenant_id = $1 and s.state <> 'tombstoned'`,
      [tenantId, seriesInstanceUids],
    );
    return rows.map(({ uid }) => uid);
  }

  async studiesOfInstances(tenantId: string, sopInstanceUids: readonly string[]): Promise<string[]> {
    const rows = await this.imaging.query<{ uid: string }>(
      `select distinct s.study_instance_uid as uid from imaging.sop_directory d
       join imaging.instance i on i.bucket = d.bucket and i.id = d.instance_id and i.state = 'current'
       join imaging.study s on s.bucket = i.bucket and s.id = i.study_id
       where d.tenant_id = $1 and d.sop_instance_uid = any($2::text[]) and s.tenant_id = $1 and s.state <> 'tombstoned'`,
      [tenantId, sopInstanceUids],
    );
    return rows.map(({ uid }) => uid);
  }

  /** A series by its key, with the tenant it belongs to: for jobs. */
  async seriesById(bucket: number, seriesId: string): Promise<(StoredSeries & { tenantId: string }) | null> {
    const [row] = await this.imaging.query<{ tenant_id: string; study_instance_uid: string; series_instance_uid: string; version: number }>(
      `select se.tenant_id, s.study_instance_uid, se.series_instance_uid, se.version
       from imaging.series se join imaging.study s on s.bucket = se.bucket and s.id = se.study_id where se.bucket = $1 and se.id = $2`,
      [bucket, seriesId],
    );
    if (!row) return null;
    return { id: seriesId, bucket, tenantId: row.tenant_id, studyInstanceUid: row.study_instance_uid, seriesInstanceUid: row.series_instance_uid, version: row.version, metadataKey: null };
  }

  /** All copies, best first. */
  async copies({ bucket, id }: Pick<StoredInstance, 'bucket' | 'id'>): Promise<StoredCopy[]> {
    const rows = await this.imaging.query<CopyRow>(
      `select ${copyColumns('$4')} from imaging.copy c join imaging.instance i on i.bucket = c.bucket and i.id = c.instance_id
       where c.bucket = $1 and c.instance_id = $2 order by ${copyOrder('$3')}`,
      [bucket, id, ...this.readingRules],
    );
    return rows.map(toCopy);
  }

  /** Its bytes are what they should be, as of now. */
  async markProven({ bucket, id }: Pick<StoredInstance, 'bucket' | 'id'>, { copyNumber, place }: StoredCopy): Promise<void> {
    await this.imaging.prepared(
      `update imaging.copy set verified_at = now() where bucket = $1 and instance_id = $2 and copy_number = $3 and object_key = $4 and offset_bytes = $5`,
      [bucket, id, copyNumber, place.key, place.offset],
    );
  }

  /** Only while the copy is still where it was read: one that has moved meanwhile is another one. Repair from another copy is asked for. */
  async markSuspect({ bucket, id }: Pick<StoredInstance, 'bucket' | 'id'>, { copyNumber, place }: StoredCopy): Promise<void> {
    const marked = await this.imaging.query<{ study_id: string }>(
      `update imaging.copy c set state = 'suspect' from imaging.instance i
       where c.bucket = $1 and c.instance_id = $2 and c.copy_number = $3 and c.object_key = $4 and c.offset_bytes = $5 and c.state in ('written', 'verified')
         and i.bucket = c.bucket and i.id = c.instance_id returning i.study_id`,
      [bucket, id, copyNumber, place.key, place.offset],
    );
    await this.parts.jobs.enqueue(marked.map(({ study_id }) => placeJob(bucket, study_id)));
  }
}

function parametersOf({ tenantId, studyInstanceUid, seriesInstanceUid, sopInstanceUid }: InstanceSelection): unknown[] {
  return [bucketOf(tenantId, studyInstanceUid), surrogateId(tenantId, studyInstanceUid), tenantId, studyInstanceUid, seriesInstanceUid ?? null, sopInstanceUid ?? null];
}

function toCopy(row: CopyRow): StoredCopy {
  const place = { tier: row.tier, key: row.object_key, offset: row.offset_bytes, length: row.length_bytes };
  return { copyNumber: row.copy_number, place, ...(row.digest !== null && { unproven: { sha256: row.digest, from: row.digest_from } }) };
}

function toInstance(row: InstanceRow, { tenantId, studyInstanceUid }: InstanceSelection): StoredInstance {
  return {
    id: row.id,
    bucket: bucketOf(tenantId, studyInstanceUid),
    studyInstanceUid,
    seriesInstanceUid: row.series_instance_uid,
    sopInstanceUid: row.sop_instance_uid,
    sopClassUid: row.sop_class_uid,
    transferSyntaxUid: row.transfer_syntax_uid,
    objectLength: row.object_length,
    datasetOffset: row.dataset_offset,
    headerLength: row.header_length,
    copy: toCopy(row),
  };
}
