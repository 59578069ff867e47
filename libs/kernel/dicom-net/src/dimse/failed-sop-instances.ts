// Failed SOP Instance UID List (0008,0058), the only element that the final answer to a C-MOVE or C-GET may have (PS3.4 §C.4.2.1.4.2, §C.4.3.1.3.2).
import { inflateRawSync } from 'node:zlib';
import { Dataset, hasLongForm, transferSyntaxOf, vrCode, writeDataset } from '@perennia/dicom-data';

/** A value with a length of two bytes (PS3.5 §7.1.2). */
const MAX_VALUE_BYTES = 0xfffe;
const MAX_INFLATED_BYTES = 4 * 1024 * 1024;
const GROUP = 0x0008;
const ELEMENT = 0x0058;

/** The dataset. A list that is too long for one value is cut; the number of failures, in the command, is right all the same. */
export function encodeFailedSopInstances(uids: readonly string[], transferSyntaxUid: string): Buffer {
  let bytes = -1;
  const fitting = uids.filter((uid) => (bytes += uid.length + 1) <= MAX_VALUE_BYTES);
  return writeDataset(new Dataset().set('FailedSOPInstanceUIDList', fitting), transferSyntaxUid);
}

/** None where the dataset has no such list, or cannot be read: it is a remark on an operation that is over. */
export function decodeFailedSopInstances(dataset: Buffer, transferSyntaxUid: string): string[] {
  if (dataset.length === 0) return [];
  const { explicit, bigEndian, deflated } = transferSyntaxOf(transferSyntaxUid);
  const bytes = deflated ? inflated(dataset) : dataset;
  const u16 = (at: number): number => (bigEndian ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at));
  const u32 = (at: number): number => (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  for (let at = 0; at + 8 <= bytes.length; ) {
    const isShort = explicit && !hasLongForm(vrCode(bytes.toString('latin1', at + 4, at + 6)));
    const start = at + (explicit && !isShort ? 12 : 8);
    if (start > bytes.length) return [];
    const end = start + (isShort ? u16(at + 6) : u32(start - 4));
    if (u16(at) === GROUP && u16(at + 2) === ELEMENT) return bytes.toString('latin1', start, end).replace(/[\0 ]+$/, '').split('\\').filter((uid) => uid !== '');
    at = end;
  }
  return [];
}

function inflated(bytes: Buffer): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch {
    return Buffer.alloc(0);
  }
}
