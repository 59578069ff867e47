// Emitted by the relay of the process that received an object, once its record is durable in the landing area.
// The receipt is written as JSON text into the landing record and travels unchanged; the relay adds `place`.
import { z } from 'zod';
import { dicomJsonDatasetSchema } from '../dicom-json.js';
import { frameIndexSchema } from '../frame-index.js';
import { placeSchema } from '../place.js';

const text = z.string().nullable();
const integer = z.number().int().nullable();

/**
 * Values by which instances are searched, decoded to Unicode, trimmed; null when absent or empty. Names are in the search
 * form of dicom-data (`searchName`). Dates are `YYYYMMDD`, times `HHMMSS.FFFFFF` padded with zeros; unparsable ones null.
 */
export const searchAttributesSchema = z.object({
  patientId: text,
  /** Issuer of Patient ID: universal id if present (0010,0024), else (0010,0021), else the source profile's default. */
  issuer: text,
  patientName: text,
  birthDate: text,
  sex: text,
  studyDate: text,
  studyTime: text,
  accessionNumber: text,
  referringPhysicianName: text,
  studyId: text,
  studyDescription: text,
  modality: text,
  seriesNumber: integer,
  seriesDescription: text,
  bodyPartExamined: text,
  performedStepStartDate: text,
  performedStepStartTime: text,
  instanceNumber: integer,
  rows: integer,
  columns: integer,
  bitsAllocated: integer,
});
export type SearchAttributes = z.infer<typeof searchAttributesSchema>;

export const sourceSchema = z.object({
  kind: z.enum(['dimse', 'stow', 'import', 'migration']),
  profile: z.string(),
  callingAet: z.string().optional(),
  calledAet: z.string().optional(),
  peer: z.string().optional(),
  user: z.string().optional(),
  job: z.string().optional(),
});
export type ReceiptSource = z.infer<typeof sourceSchema>;

/** What is known of one received object without reading it again. */
export const receiptSchema = z.object({
  /** UUIDv7; also the id of the instance row. */
  receiptId: z.string(),
  tenantId: z.string(),
  bucket: z.number().int(),
  /** ISO 8601, UTC, milliseconds. */
  receivedAt: z.string(),
  studyInstanceUid: z.string(),
  seriesInstanceUid: z.string(),
  sopInstanceUid: z.string(),
  sopClassUid: z.string(),
  transferSyntaxUid: z.string(),
  /** Lower-case hex SHA-256 of the bytes after File Meta Information, as received. */
  datasetSha256: z.string(),
  /** Length of the whole Part 10 object in bytes. */
  objectLength: z.number().int(),
  /** Bytes before the dataset: preamble, prefix, File Meta Information. */
  datasetOffset: z.number().int(),
  /** Bytes from the start of the object to the tag of (Float/Double) Pixel Data, or to its end where there is none. */
  headerLength: z.number().int(),
  numberOfFrames: z.number().int(),
  frameIndex: frameIndexSchema,
  /** The kept attributes as received, by the level they belong to (patient attributes stand under study). */
  attributes: z.object({ study: dicomJsonDatasetSchema, series: dicomJsonDatasetSchema, instance: dicomJsonDatasetSchema }),
  search: searchAttributesSchema,
  source: sourceSchema,
  /** What the source's profile wants when the SOP Instance UID is known with other bytes. */
  onConflict: z.enum(['keep-first', 'supersede']),
  /** W3C Trace Context of the span in which it was stored, when its way is recorded; stands last. Not kept in packs. */
  traceparent: z.string().optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;

export const instanceReceivedSchema = receiptSchema.extend({ place: placeSchema });
export type InstanceReceived = z.infer<typeof instanceReceivedSchema>;

export const INSTANCE_RECEIVED = 'vna.instance.received.v1';
