// Receipts as a receiver writes them for objects of part10(), and the events a relay makes of them.
import { createHash } from 'node:crypto';
import {
  INSTANCE_RECEIVED, LANDING_TIER, bucketOf, type DicomJsonDataset, type Envelope, type InstanceReceived, type Place, type Receipt,
} from '@perennia/contracts';
import { part10, type Part10Object, type Part10Options } from './part10.js';

export interface ReceiptOptions extends Part10Options {
  receiptId?: string;
  tenantId?: string;
  receivedAt?: string;
  onConflict?: Receipt['onConflict'];
}

/** A UUIDv7 that follows from a number: its order is the order of the numbers. */
export function seededReceiptId(number: number): string {
  const time = (0x0190_0000_0000 + number).toString(16).padStart(12, '0');
  const tail = createHash('sha256').update(String(number)).digest('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(6, 18)}`;
}

let receipts = 0;

/** The receipt of the object `part10(options)`, or of `object` when it exists already. */
export function receipt(options: ReceiptOptions = {}, object: Part10Object = part10(options)): Receipt {
  const { values } = object;
  const tenantId = options.tenantId ?? 'default';
  return {
    receiptId: options.receiptId ?? seededReceiptId(++receipts),
    tenantId,
    bucket: bucketOf(tenantId, values.studyInstanceUid),
    receivedAt: options.receivedAt ?? '2024-01-31T08:00:00.000Z',
    studyInstanceUid: values.studyInstanceUid,
    seriesInstanceUid: values.seriesInstanceUid,
    sopInstanceUid: values.sopInstanceUid,
    sopClassUid: values.sopClassUid,
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    datasetSha256: object.datasetSha256,
    objectLength: object.bytes.length,
    datasetOffset: object.datasetOffset,
    headerLength: object.headerLength,
    numberOfFrames: 1,
    frameIndex: { kind: 'native', frames: 1, offset: object.bytes.length - values.pixelBytes, length: values.pixelBytes, frameLengthBits: values.pixelBytes * 8 },
    attributes: attributesOf(values),
    search: searchOf(values),
    source: { kind: 'dimse', profile: 'default', callingAet: 'TEST', calledAet: 'PERENNIA', peer: '127.0.0.1' },
    onConflict: options.onConflict ?? 'keep-first',
  };
}

/** The receipt as it reaches the indexer: with the place of its bytes. */
export function instanceReceived(from: Receipt, place?: Partial<Place>): InstanceReceived {
  return { ...from, place: { tier: LANDING_TIER, key: 'test/00000001.seg@1', offset: 64, length: from.objectLength, ...place } };
}

export function receivedEnvelope(data: InstanceReceived): Envelope<InstanceReceived> {
  const { receiptId, tenantId, bucket, receivedAt, studyInstanceUid } = data;
  return { id: receiptId, type: INSTANCE_RECEIVED, version: 1, tenantId, key: `${tenantId}/${studyInstanceUid}`, bucket, occurredAt: receivedAt, producer: 'test', data };
}

function attributesOf(values: Required<Part10Options>): Receipt['attributes'] {
  const study: DicomJsonDataset = {
    '00080020': { vr: 'DA', Value: [values.studyDate] },
    '00080050': { vr: 'SH', Value: [values.accessionNumber] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: values.patientName }] },
    '00100020': values.patientId === null ? { vr: 'LO' } : { vr: 'LO', Value: [values.patientId] },
  };
  if (values.issuer !== null) study['00100021'] = { vr: 'LO', Value: [values.issuer] };
  return {
    study,
    series: { '00080060': { vr: 'CS', Value: [values.modality] }, '00200011': { vr: 'IS', Value: [values.seriesNumber] } },
    instance: { '00200013': { vr: 'IS', Value: [values.instanceNumber] }, '00280010': { vr: 'US', Value: [1] } },
  };
}

function searchOf(values: Required<Part10Options>): Receipt['search'] {
  return {
    patientId: values.patientId, issuer: values.issuer, patientName: values.patientName, birthDate: null, sex: null, studyDate: values.studyDate,
    studyTime: null, accessionNumber: values.accessionNumber, referringPhysicianName: null, studyId: null, studyDescription: null,
    modality: values.modality, seriesNumber: values.seriesNumber, seriesDescription: null, bodyPartExamined: null, performedStepStartDate: null,
    performedStepStartTime: null, instanceNumber: values.instanceNumber, rows: 1, columns: values.pixelBytes & 0xffff, bitsAllocated: 8,
  };
}
