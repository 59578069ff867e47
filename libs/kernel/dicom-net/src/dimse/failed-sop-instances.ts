// Failed SOP Instance UID List (0008,0058), the only element that the final answer to a C-MOVE or C-GET may have (PS3.4 §C.4.2.1.4.2, §C.4.3.1.3.2).
import { Dataset, writeDataset } from '@perennia/dicom-data';

/** A value with a length of two bytes (PS3.5 §7.1.2). */
const MAX_VALUE_BYTES = 0xfffe;

/** The dataset. A list that is too long for one value is cut; the number of failures, in the command, is right all the same. */
export function encodeFailedSopInstances(uids: readonly string[], transferSyntaxUid: string): Buffer {
  let bytes = -1;
  const fitting = uids.filter((uid) => (bytes += uid.length + 1) <= MAX_VALUE_BYTES);
  return writeDataset(new Dataset().set('FailedSOPInstanceUIDList', fitting), transferSyntaxUid);
}
