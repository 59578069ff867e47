// A hash of everything the catalogue says about what was received: studies, series, instances, conflicts, counts and digests in
// canonical order. Two catalogues of the same objects have the same one. Left out is what depends on when and where: places of the
// bytes, versions of rows, times of indexing.
import { createHash } from 'node:crypto';
import type { ImagingDatabase } from '@perennia/persistence';

export interface CatalogueDigest {
  /** Lower-case hex. */
  sha256: string;
  studies: number;
  series: number;
  instances: number;
  conflicts: number;
}

const PAGE_ROWS = 2000;
const ZERO_ID = '00000000-0000-0000-0000-000000000000';

interface Level {
  name: 'studies' | 'series' | 'instances' | 'conflicts';
  table: string;
  columns: string;
  condition?: string;
}
const LEVELS: readonly Level[] = [
  {
    name: 'studies', table: 'study',
    columns: `tenant_id, study_instance_uid, patient_id, patient_identifier, issuer, patient_name, patient_birth_date, patient_sex, study_date, study_time,
      sort_date, accession_number, study_id, study_description, referring_physician, modalities, sop_classes, number_of_series, number_of_instances, total_bytes, attributes`,
  },
  {
    name: 'series', table: 'series',
    columns: `study_id, series_instance_uid, modality, series_number, series_description, body_part_examined, performed_date, performed_time,
      number_of_instances, total_bytes, transfer_syntaxes, attributes`,
  },
  {
    name: 'instances', table: 'instance',
    columns: `study_id, series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, instance_number, number_of_frames, rows, columns, bits_allocated,
      object_length, dataset_offset, header_length, frame_index::jsonb, encode(dataset_sha256, 'hex'), version, state, attributes, source::jsonb,
      extract(epoch from received_at)`,
  },
  {
    name: 'conflicts', table: 'duplicate', condition: `kind = 'conflict'`,
    columns: `study_instance_uid, series_instance_uid, sop_instance_uid, instance_id, encode(dataset_sha256, 'hex')`,
  },
];

/** Reads the catalogue page by page; rows that change meanwhile make the result meaningless. */
export async function catalogueDigest(imaging: ImagingDatabase): Promise<CatalogueDigest> {
  const hash = createHash('sha256');
  const digest: CatalogueDigest = { sha256: '', studies: 0, series: 0, instances: 0, conflicts: 0 };
  for (const level of LEVELS) {
    for await (const line of linesOf(imaging, level)) {
      hash.update(`${level.name} ${line}\n`);
      digest[level.name] += 1;
    }
  }
  digest.sha256 = hash.digest('hex');
  return digest;
}

async function* linesOf(imaging: ImagingDatabase, { table, columns, condition = 'true' }: Level): AsyncGenerator<string> {
  let after = { bucket: -1, id: ZERO_ID };
  for (;;) {
    const rows = await imaging.query<{ bucket: number; id: string; line: string }>(
      `select bucket, id, jsonb_build_array(bucket, id, ${columns})::text as line from imaging.${table}
       where (bucket, id) > ($1::smallint, $2::uuid) and ${condition} order by bucket, id limit ${PAGE_ROWS}`,
      [after.bucket, after.id],
    );
    for (const { line } of rows) yield line;
    if (rows.length < PAGE_ROWS) return;
    after = rows.at(-1)!;
  }
}
