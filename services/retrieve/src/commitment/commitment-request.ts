// What a Storage Commitment Request asks for (PS3.4 §J.3.2, Table J.3-1): the references of one transaction.
import type { DicomJsonDataset } from '@perennia/contracts';
import { DimseFailure, DimseStatus } from '@perennia/dicom-net';

export interface CommitmentReference {
  sopClassUid: string;
  sopInstanceUid: string;
}
export interface CommitmentRequest {
  transactionUid: string;
  references: CommitmentReference[];
}

export const TRANSACTION_UID = '00081195';
export const REFERENCED_SOP_SEQUENCE = '00081199';
export const REFERENCED_SOP_CLASS_UID = '00081150';
export const REFERENCED_SOP_INSTANCE_UID = '00081155';

const MAX_REFERENCES = 50_000;

/** @throws DimseFailure with the reason in plain words: 0115 for what is missing, 0213 for too much */
export function commitmentRequestOf(information: DicomJsonDataset): CommitmentRequest {
  const transactionUid = uidOf(information, TRANSACTION_UID);
  if (transactionUid === undefined) throw new DimseFailure(DimseStatus.invalidArgumentValue, 'Transaction UID (0008,1195) is missing');
  const items = (information[REFERENCED_SOP_SEQUENCE]?.Value ?? []) as DicomJsonDataset[];
  if (items.length === 0) throw new DimseFailure(DimseStatus.invalidArgumentValue, 'Referenced SOP Sequence (0008,1199) has no item');
  if (items.length > MAX_REFERENCES) throw new DimseFailure(DimseStatus.resourceLimitation, `More than ${MAX_REFERENCES} references; ask in parts`);
  return { transactionUid, references: items.map(referenceOf) };
}

function referenceOf(item: DicomJsonDataset): CommitmentReference {
  const [sopClassUid, sopInstanceUid] = [uidOf(item, REFERENCED_SOP_CLASS_UID), uidOf(item, REFERENCED_SOP_INSTANCE_UID)];
  if (sopClassUid === undefined || sopInstanceUid === undefined) throw new DimseFailure(DimseStatus.invalidArgumentValue, 'A reference lacks its SOP Class or Instance UID');
  return { sopClassUid, sopInstanceUid };
}

function uidOf(dataset: DicomJsonDataset, tag: string): string | undefined {
  const value = dataset[tag]?.Value?.[0];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
