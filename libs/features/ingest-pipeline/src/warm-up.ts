// Made-up objects, and a receiver that keeps nothing: each road that objects come by sends some through itself before the first real one
// comes, and what every byte goes through is compiled then. Without it the first hundreds of objects after a start take half as long again.
import { Dataset, EXPLICIT_VR_LITTLE_ENDIAN, writeDataset } from '@perennia/dicom-data';
import { HEAD_BYTES, type LandedRecord, type Landing } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import { BlockPool } from './block-pool.js';
import { ByteBudget } from './byte-budget.js';
import { ReceiveObject } from './receive-object.js';
import type { RefusalLog } from './refusal-log.js';

export interface MadeUpObject {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  dataset: Buffer;
}

/** Of pixel data: an object takes several blocks, as most do. */
const PIXEL_BYTES = 96 * 1024;
const BUDGET_BYTES = 8 * 1024 * 1024;
const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';

/** Takes what it is given and keeps nothing. */
const NOWHERE = { headroomBytes: HEAD_BYTES, append: () => Promise.resolve({} as LandedRecord) } as unknown as Landing;
const NO_REFUSALS = { record: () => undefined } as unknown as RefusalLog;

export function receiveIntoNowhere(clock: Clock): ReceiveObject {
  return new ReceiveObject({ landing: NOWHERE, refusals: NO_REFUSALS, blocks: new BlockPool(new ByteBudget(BUDGET_BYTES)), clock });
}

export function* madeUpObjects(count: number): Generator<MadeUpObject> {
  const pixels = Buffer.alloc(PIXEL_BYTES);
  for (let number = 0; number < count; number++) {
    const sopInstanceUid = `2.25.1${number}`;
    const dataset = writeDataset(datasetOf(sopInstanceUid, number, pixels), EXPLICIT_VR_LITTLE_ENDIAN);
    yield { sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, dataset };
  }
}

/** About what a CT image says of itself. */
function datasetOf(sopInstanceUid: string, number: number, pixels: Buffer): Dataset {
  const values: Record<string, string | number> = {
    SpecificCharacterSet: 'ISO_IR 192', ImageType: 'ORIGINAL\\PRIMARY\\AXIAL', SOPClassUID: CT_IMAGE_STORAGE, SOPInstanceUID: sopInstanceUid,
    StudyDate: '20240131', SeriesDate: '20240131', AcquisitionDate: '20240131', ContentDate: '20240131', StudyTime: '101530.25', SeriesTime: '101531',
    AcquisitionTime: '101532', ContentTime: '101533', AccessionNumber: `A${number}`, Modality: 'CT', Manufacturer: 'Perennia', InstitutionName: 'Nowhere',
    ReferringPhysicianName: 'Nobody^At^All', StationName: 'CT1', StudyDescription: 'Warm-up', SeriesDescription: `Series ${number % 3}`,
    ManufacturerModelName: 'None', PatientName: 'Nobody^Żaneta', PatientID: `P${number % 7}`, IssuerOfPatientID: 'NOWHERE', PatientBirthDate: '19700101',
    PatientSex: 'O', BodyPartExamined: 'CHEST', SliceThickness: '1.25', KVP: '120', ProtocolName: 'Warm-up', PatientPosition: 'HFS',
    StudyInstanceUID: '2.25.2', SeriesInstanceUID: '2.25.3', StudyID: '1', SeriesNumber: number % 3, InstanceNumber: number,
    ImagePositionPatient: '-120.5\\-120.5\\30.25', ImageOrientationPatient: '1\\0\\0\\0\\1\\0', FrameOfReferenceUID: '2.25.4', SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2', Rows: 256, Columns: 192, PixelSpacing: '0.5\\0.5', BitsAllocated: 16, BitsStored: 12, HighBit: 11,
    PixelRepresentation: 0, RescaleIntercept: '-1024', RescaleSlope: '1',
  };
  const dataset = new Dataset().set('PixelData', pixels, 'OW');
  for (const [keyword, value] of Object.entries(values)) dataset.set(keyword, value);
  return dataset.set('ReferencedImageSequence', [new Dataset().set('ReferencedSOPClassUID', CT_IMAGE_STORAGE).set('ReferencedSOPInstanceUID', '2.25.5')]);
}
