// What became of the references of a transaction, and the event that tells it (PS3.4 §J.3.3, Table J.3-2).
import { Dataset } from '@perennia/dicom-data';
import type { CommitmentReference } from './commitment-request.js';

/** Failure Reason (0008,1197), PS3.3 §C.14.1.1. */
export const FailureReason = {
  processingFailure: 0x0110,
  noSuchObjectInstance: 0x0112,
  classInstanceConflict: 0x0119,
} as const;

export interface CommitmentResult {
  committed: CommitmentReference[];
  failed: (CommitmentReference & { reason: number })[];
}

/** PS3.4 Table J.3-2: 1 when all are committed, 2 when failures exist. */
export const eventTypeOf = ({ failed }: CommitmentResult): 1 | 2 => (failed.length === 0 ? 1 : 2);

export function eventInformationOf(transactionUid: string, retrieveAeTitle: string, { committed, failed }: CommitmentResult): Dataset {
  const information = new Dataset().set('RetrieveAETitle', retrieveAeTitle).set('TransactionUID', transactionUid);
  // Neither sequence may be empty.
  if (committed.length > 0) information.set('ReferencedSOPSequence', committed.map(itemOf));
  if (failed.length > 0) information.set('FailedSOPSequence', failed.map((each) => itemOf(each).set('FailureReason', each.reason)));
  return information;
}

const itemOf = ({ sopClassUid, sopInstanceUid }: CommitmentReference): Dataset => new Dataset().set('ReferencedSOPClassUID', sopClassUid).set('ReferencedSOPInstanceUID', sopInstanceUid);
