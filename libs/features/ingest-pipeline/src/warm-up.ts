// Receives some made-up objects into nowhere before the first real one comes: what every byte goes through is compiled then. Without it
// the first hundreds of objects after a start take a third longer, and so do those of a sender who waits for each answer.
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { isTestBuild } from '@perennia/fault-points';
import type { LandedRecord, Landing } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import { BlockPool } from './block-pool.js';
import { ByteBudget } from './byte-budget.js';
import type { ReceiveContext } from './receive-context.js';
import { ReceiveObject } from './receive-object.js';
import type { RefusalLog } from './refusal-log.js';
import { LOOPBACK_PROFILE } from './source-profile.js';

export const WARM_UP_OBJECTS = 300;
/** Then others have a turn: whoever asks for the health of the process is answered. */
const OBJECTS_A_TURN = 10;
/** Of pixel data: an object takes several blocks, as most do. */
const PIXEL_BYTES = 96 * 1024;
const CHUNK_BYTES = 64 * 1024;
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';

/** Takes what it is given and keeps nothing. */
const NOWHERE = { append: () => Promise.resolve({} as LandedRecord) } as unknown as Landing;
const NO_REFUSALS = { record: () => undefined } as unknown as RefusalLog;

/** Fault points are for objects of senders: a test build does without. @returns how many objects went through */
export async function warmUp(clock: Clock): Promise<number> {
  if (isTestBuild) return 0;
  let stored = 0;
  const receive = new ReceiveObject({ landing: NOWHERE, refusals: NO_REFUSALS, blocks: new BlockPool(new ByteBudget(1024 * 1024)), clock });
  const pixels = Buffer.alloc(PIXEL_BYTES);
  for (let number = 0; number < WARM_UP_OBJECTS; number++) {
    if (await receiveOne(receive, number, pixels)) stored += 1;
    if (number % OBJECTS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return stored;
}

async function receiveOne(receive: ReceiveObject, number: number, pixels: Buffer): Promise<boolean> {
  const sopInstanceUid = `2.25.1${number}`;
  const sink = receive.begin(contextOf(sopInstanceUid));
  const bytes = writeDataset(datasetOf(sopInstanceUid, number, pixels), EXPLICIT_LITTLE_ENDIAN);
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) await sink.write(bytes.subarray(at, at + CHUNK_BYTES));
  return (await sink.end()).outcome === 'stored';
}

function contextOf(sopInstanceUid: string): ReceiveContext {
  return {
    road: 'dimse', profile: LOOPBACK_PROFILE, source: { callingAet: 'WARM-UP', calledAet: 'PERENNIA', peer: '127.0.0.1' },
    command: { sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE_ENDIAN },
  };
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
