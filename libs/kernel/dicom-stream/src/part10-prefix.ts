// The beginning of every object this archive writes: preamble, `DICM` and File Meta Information (PS3.10 §7.1).
import { EXPLICIT_VR_LITTLE_ENDIAN, Dataset, writeDataset } from '@perennia/dicom-data';

/** Names this software (PS3.7 §D.3.3.2); a UUID-derived UID (PS3.5 §B.2), since no root was ever bought. */
export const IMPLEMENTATION_CLASS_UID = '2.25.43483288880022484492507502498171109552';
/** At most 16 characters. */
export const IMPLEMENTATION_VERSION_NAME = 'PERENNIA_0_1';

export interface Part10PrefixFields {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  /** Application entity the object came from. */
  sourceAet?: string;
}

/** The bytes that stand before the dataset. */
export function part10Prefix(fields: Part10PrefixFields): Buffer {
  const meta = new Dataset()
    .set('FileMetaInformationVersion', Uint8Array.of(0, 1))
    .set('MediaStorageSOPClassUID', fields.sopClassUid)
    .set('MediaStorageSOPInstanceUID', fields.sopInstanceUid)
    .set('TransferSyntaxUID', fields.transferSyntaxUid)
    .set('ImplementationClassUID', IMPLEMENTATION_CLASS_UID)
    .set('ImplementationVersionName', IMPLEMENTATION_VERSION_NAME);
  if (fields.sourceAet !== undefined && fields.sourceAet !== '') meta.set('SourceApplicationEntityTitle', fields.sourceAet);
  const body = writeDataset(meta, EXPLICIT_VR_LITTLE_ENDIAN);
  const groupLength = writeDataset(new Dataset().set('FileMetaInformationGroupLength', body.length), EXPLICIT_VR_LITTLE_ENDIAN);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM', 'latin1'), groupLength, body]);
}
