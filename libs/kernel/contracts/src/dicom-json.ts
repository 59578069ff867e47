// DICOM JSON model (PS3.18 Annex F) as plain types; the codec lives in dicom-data.
import { z } from 'zod';

export interface DicomJsonElement {
  vr: string;
  Value?: unknown[];
  InlineBinary?: string;
  BulkDataURI?: string;
}
/** Keys are eight upper-case hex digits, ascending. */
export type DicomJsonDataset = Record<string, DicomJsonElement>;

export const dicomJsonDatasetSchema = z.record(
  z.string(),
  z.object({ vr: z.string(), Value: z.array(z.unknown()).optional(), InlineBinary: z.string().optional(), BulkDataURI: z.string().optional() }),
);
