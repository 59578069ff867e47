// Fills the catalogue with studies made by the server itself (generate_series), for tests of plans and for measuring: 20,000
// studies take about two seconds. Names, days and modalities repeat as they do in a hospital.
import type { ImagingDatabase } from '@perennia/persistence';
import { bucketOf, surrogateId } from '@perennia/contracts';

export interface GeneratedCatalogueOptions {
  tenantId?: string;
  studies: number;
  seriesPerStudy?: number;
  instancesPerSeries?: number;
  /** Part of the UIDs: two catalogues in one database differ in it. */
  root?: string;
}

/** UID of the generated study (from 0), of its series (from 1) and instances (from 1). */
export function generatedUid(options: { root?: string }, study: number, series?: number, instance?: number): string {
  return [options.root ?? '1.2.826.0.1.3680043.10.999', study + 1, series, instance].filter((part) => part !== undefined).join('.');
}

const STUDIES = `
insert into imaging.study (bucket, id, tenant_id, study_instance_uid, patient_id, patient_version, patient_identifier, issuer, patient_name, patient_birth_date,
  patient_sex, study_date, study_time, sort_date, accession_number, study_id, study_description, referring_physician, modalities, sop_classes,
  number_of_series, number_of_instances, attributes, state)
select bucket, id, $1, uid, md5('p' || n / 2)::uuid, 1, 'PID' || n / 2, null, name, '19700101', 'F', day, '083000.000000', day, 'ACC' || n, 'S' || n, 'Generated study',
  'REFERRER^' || n % 50, array[modality], array['1.2.840.10008.5.1.4.1.1.2'], $5::int, $5::int * $6::int, jsonb_build_object(
    '00080020', jsonb_build_object('vr', 'DA', 'Value', jsonb_build_array(day)), '00080030', jsonb_build_object('vr', 'TM', 'Value', jsonb_build_array('083000')),
    '00080050', jsonb_build_object('vr', 'SH', 'Value', jsonb_build_array('ACC' || n)), '00081030', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('Generated study')),
    '00080090', jsonb_build_object('vr', 'PN', 'Value', jsonb_build_array(jsonb_build_object('Alphabetic', 'Referrer^' || n % 50))),
    '00100010', jsonb_build_object('vr', 'PN', 'Value', jsonb_build_array(jsonb_build_object('Alphabetic', initcap(split_part(name, '=', 1))))),
    '00100020', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('PID' || n / 2)), '00100030', jsonb_build_object('vr', 'DA', 'Value', jsonb_build_array('19700101')),
    '00100040', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array('F')), '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(uid)),
    '00200010', jsonb_build_object('vr', 'SH', 'Value', jsonb_build_array('S' || n)), '00101010', jsonb_build_object('vr', 'AS', 'Value', jsonb_build_array('054Y'))), 'settled'
from (select *, to_char(date '2018-01-01' + (n * 7919 % 2500), 'YYYYMMDD') as day,
        (array['CT', 'MR', 'CR', 'US', 'DX'])[1 + n % 5] as modality,
        chr(65 + n * 31 % 26) || chr(65 + n * 17 % 25) || chr(65 + n * 13 % 24) || 'SON^' || (array['ANNA', 'BEN', 'CLARA', 'DAVID'])[1 + n % 4]
          || case when n % 40 = 0 then '=' || chr(23665 + n % 20) || '田^太郎=やまだ^たろう' else '' end as name
      from unnest($2::int[], $3::smallint[], $4::uuid[], $7::text[]) as given (n, bucket, id, uid)) as study`;

const SERIES = `
insert into imaging.series (bucket, id, study_id, tenant_id, series_instance_uid, modality, series_number, series_description, number_of_instances, attributes)
select s.bucket, md5(s.study_instance_uid || '.' || k)::uuid, s.id, $1, s.study_instance_uid || '.' || k, s.modalities[1], k, 'Series ' || k, $3::int, jsonb_build_object(
  '00080060', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array(s.modalities[1])), '0008103E', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('Series ' || k)),
  '0020000E', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(s.study_instance_uid || '.' || k)), '00200011', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(k)))
from imaging.study s, generate_series(1, $2::int) as k where s.tenant_id = $1 and s.study_instance_uid like $4`;

const INSTANCES = `
with made as (
  insert into imaging.instance (bucket, id, study_id, series_id, tenant_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, instance_number, rows, columns,
    bits_allocated, object_length, dataset_offset, header_length, frame_index, dataset_sha256, attributes, source, received_at)
  select se.bucket, gen_random_uuid(), se.study_id, se.id, $1, se.series_instance_uid || '.' || k, '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', k, 512, 512,
    16, 1000, 300, 900, '{"kind":"none"}', '\\x00', jsonb_build_object(
      '00080016', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array('1.2.840.10008.5.1.4.1.1.2')),
      '00080018', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(se.series_instance_uid || '.' || k)),
      '00200013', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(k)), '00280010', jsonb_build_object('vr', 'US', 'Value', jsonb_build_array(512)),
      '00280011', jsonb_build_object('vr', 'US', 'Value', jsonb_build_array(512)), '00280100', jsonb_build_object('vr', 'US', 'Value', jsonb_build_array(16)),
      '00080008', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array('ORIGINAL', 'PRIMARY', 'AXIAL'))), '{}', now()
  from imaging.series se, generate_series(1, $2::int) as k where se.tenant_id = $1 and se.series_instance_uid like $3
  returning bucket, id, sop_instance_uid)
insert into imaging.sop_directory (tenant_id, sop_instance_uid, bucket, instance_id) select $1, sop_instance_uid, bucket, id from made`;

export async function generateCatalogue(imaging: ImagingDatabase, options: GeneratedCatalogueOptions): Promise<void> {
  const { studies, tenantId = 'default', seriesPerStudy = 2, instancesPerSeries = 0 } = options;
  const below = `${generatedUid(options, 0).replace(/\d+$/, '')}%`;
  const numbers = Array.from({ length: studies }, (_, index) => index + 1);
  const uids = numbers.map((number) => generatedUid(options, number - 1));
  await imaging.query(STUDIES, [
    tenantId, numbers, uids.map((uid) => bucketOf(tenantId, uid)), uids.map((uid) => surrogateId(tenantId, uid)), seriesPerStudy, instancesPerSeries, uids,
  ]);
  await imaging.query(SERIES, [tenantId, seriesPerStudy, instancesPerSeries, below]);
  if (instancesPerSeries > 0) await imaging.query(INSTANCES, [tenantId, instancesPerSeries, below]);
  await imaging.query('vacuum analyze imaging.study, imaging.series, imaging.instance, imaging.sop_directory');
}
