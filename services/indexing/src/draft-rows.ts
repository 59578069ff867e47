// Turns the new instances of a batch into rows: one per instance, and one per study and series with what the batch adds to it.
// Counts and sizes are of current instances, so they always equal a recount.
import { LANDING_TIER } from '@perennia/contracts';
import type { NewInstance } from './decide-roles.js';
import { fillEmpty, fillEmptyElements } from './fill-empty.js';
import type { ResolvedPatient } from './patient-directory.js';
import type { InstanceRow } from './sql/insert-instances.js';
import type { SeriesRow } from './sql/upsert-series.js';
import type { StudyRow } from './sql/upsert-studies.js';

export interface DraftRows {
  studies: StudyRow[];
  series: SeriesRow[];
  instances: InstanceRow[];
}

/** @param patients by study id; @param nowMs when the batch is indexed */
export function draftRows(added: readonly NewInstance[], patients: ReadonlyMap<string, ResolvedPatient>, nowMs: number): DraftRows {
  const studies = new Map<string, StudyRow>();
  const series = new Map<string, SeriesRow>();
  const changedAt = new Date(nowMs).toISOString();
  for (const instance of added) {
    const { studyId, seriesId } = instance.incoming;
    addTo(studies, studyId, instance, () => studyRow(instance, patients.get(studyId)!, changedAt), fillStudy);
    addTo(series, seriesId, instance, () => seriesRow(instance), fillSeries);
  }
  return {
    // Sorted: transactions that touch the same rows lock them in the same order.
    studies: [...studies.values()].toSorted(byId),
    series: [...series.values()].toSorted(byId),
    instances: added.map(instanceRow),
  };
}

interface Totals {
  id: string;
  number_of_instances: number;
  total_bytes: number;
}
const byId = (a: Totals, b: Totals): number => (a.id < b.id ? -1 : 1);

function addTo<Row extends Totals>(rows: Map<string, Row>, id: string, instance: NewInstance, create: () => Row, fill: (row: Row, instance: NewInstance) => void): void {
  let row = rows.get(id);
  if (!row) rows.set(id, (row = create()));
  fill(row, instance);
  if (instance.state === 'superseded') return;
  row.number_of_instances += 1;
  row.total_bytes += instance.incoming.receipt.objectLength;
}

function studyRow({ incoming: { receipt, studyId } }: NewInstance, patient: ResolvedPatient, changedAt: string): StudyRow {
  return {
    bucket: receipt.bucket, id: studyId, tenant_id: receipt.tenantId, study_instance_uid: receipt.studyInstanceUid,
    patient_id: patient.patientId, patient_version: patient.version, patient_identifier: patient.identifier, issuer: patient.issuer,
    searched: searchedOfStudy(receipt.search), modalities: [], sop_classes: [], number_of_instances: 0, total_bytes: 0,
    attributes: { ...receipt.attributes.study }, state: 'settled', last_received_at: changedAt,
  };
}

function fillStudy(row: StudyRow, { incoming: { receipt } }: NewInstance): void {
  const { search, attributes, place } = receipt;
  fillEmpty(row.searched, searchedOfStudy(search));
  fillEmptyElements(row.attributes, attributes.study);
  if (search.modality !== null) addMissing(row.modalities, search.modality);
  addMissing(row.sop_classes, receipt.sopClassUid);
  // Only a rebuild meets instances that are filed already.
  if (place.tier === LANDING_TIER) row.state = 'open';
}

function seriesRow({ incoming: { receipt, studyId, seriesId } }: NewInstance): SeriesRow {
  return {
    bucket: receipt.bucket, id: seriesId, study_id: studyId, tenant_id: receipt.tenantId, series_instance_uid: receipt.seriesInstanceUid,
    searched: searchedOfSeries(receipt.search), number_of_instances: 0, total_bytes: 0, transfer_syntaxes: [], attributes: { ...receipt.attributes.series },
  };
}

function fillSeries(row: SeriesRow, { incoming: { receipt } }: NewInstance): void {
  fillEmpty(row.searched, searchedOfSeries(receipt.search));
  fillEmptyElements(row.attributes, receipt.attributes.series);
  addMissing(row.transfer_syntaxes, receipt.transferSyntaxUid);
}

function searchedOfStudy(search: NewInstance['incoming']['receipt']['search']): StudyRow['searched'] {
  return {
    patient_name: search.patientName, patient_birth_date: search.birthDate, patient_sex: search.sex, study_date: search.studyDate,
    study_time: search.studyTime, accession_number: search.accessionNumber, study_id: search.studyId,
    study_description: search.studyDescription, referring_physician: search.referringPhysicianName,
  };
}

function searchedOfSeries(search: NewInstance['incoming']['receipt']['search']): SeriesRow['searched'] {
  return {
    modality: search.modality, series_number: search.seriesNumber, series_description: search.seriesDescription,
    body_part_examined: search.bodyPartExamined, performed_date: search.performedStepStartDate, performed_time: search.performedStepStartTime,
  };
}

function instanceRow({ incoming, version, state }: NewInstance): InstanceRow {
  const { receipt, studyId, seriesId, objectSha256 } = incoming;
  const { search, place } = receipt;
  return {
    bucket: receipt.bucket, id: receipt.receiptId, study_id: studyId, series_id: seriesId, tenant_id: receipt.tenantId,
    sop_instance_uid: receipt.sopInstanceUid, sop_class_uid: receipt.sopClassUid, transfer_syntax_uid: receipt.transferSyntaxUid,
    instance_number: search.instanceNumber, number_of_frames: receipt.numberOfFrames, rows: search.rows, columns: search.columns,
    bits_allocated: search.bitsAllocated, object_length: receipt.objectLength, dataset_offset: receipt.datasetOffset,
    header_length: receipt.headerLength, frame_index: receipt.frameIndex, dataset_sha256: `\\x${receipt.datasetSha256}`,
    object_sha256: objectSha256 === undefined ? null : `\\x${objectSha256}`, version, state, attributes: receipt.attributes.instance,
    source: receipt.source, received_at: receipt.receivedAt, tier: place.tier, object_key: place.key, offset_bytes: place.offset, length_bytes: place.length,
  };
}

/** Keeps the list in order, so that it does not tell in which order instances came. */
function addMissing(list: string[], value: string): void {
  const at = list.findIndex((each) => each >= value);
  if (at === -1) list.push(value);
  else if (list[at] !== value) list.splice(at, 0, value);
}
