// The first bytes of a file that is given as Part 10: holds them back until it is clear what they are. A file that lacks preamble
// or File Meta Information gets ours in front of its dataset, so that everything kept is a DICOM file; a dataset byte never changes.
import { DicomParseError, hasLongForm, transferSyntaxOf } from '@perennia/dicom-data';
import { part10Prefix, Part10Reader, type Part10Header } from '@perennia/dicom-stream';

export interface Part10Start {
  header: Part10Header;
  /** What the kept object begins with, before its dataset. */
  prefix: Buffer;
  datasetOffset: number;
  /** The dataset bytes among those given so far. */
  dataset: Buffer;
}

const SOP_CLASS_UID = 0x00080016;
const SOP_INSTANCE_UID = 0x00080018;

export class Part10Beginning {
  private readonly reader = new Part10Reader();
  private readonly held: Buffer[] = [];

  /** @returns undefined until the File Meta Information is complete; it is not to be called after that */
  push(chunk: Buffer): Part10Start | undefined {
    this.held.push(Buffer.from(chunk));
    const dataset = this.reader.push(chunk);
    return this.reader.header ? this.start(this.reader.header, dataset) : undefined;
  }

  /** The file ended before that. @throws DicomParseError when it never became a DICOM file */
  end(): Part10Start {
    const dataset = this.reader.end();
    return this.start(this.reader.header!, dataset);
  }

  private start(header: Part10Header, bytes: Uint8Array): Part10Start {
    const dataset = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const prefix = header.form === 'part10' ? Buffer.concat(this.held).subarray(0, header.datasetOffset) : prefixOf(header, dataset);
    return { header, prefix, datasetOffset: prefix.length, dataset };
  }
}

function prefixOf(header: Part10Header, dataset: Buffer): Buffer {
  const found = identityIn(dataset, header.transferSyntaxUid);
  const sopClassUid = header.mediaStorageSopClassUid || found.get(SOP_CLASS_UID);
  const sopInstanceUid = header.mediaStorageSopInstanceUid || found.get(SOP_INSTANCE_UID);
  if (!sopClassUid || !sopInstanceUid) throw new DicomParseError('NOT_DICOM', 'The file has no File Meta Information, and its dataset does not begin with its SOP UIDs.');
  return part10Prefix({ sopClassUid, sopInstanceUid, transferSyntaxUid: header.transferSyntaxUid });
}

/** The text values of group 0008 up to SOP Instance UID, which come first in every dataset. */
function identityIn(b: Buffer, transferSyntaxUid: string): Map<number, string> {
  const { explicit, bigEndian } = transferSyntaxOf(transferSyntaxUid);
  const u16 = (at: number): number => (bigEndian ? b.readUInt16BE(at) : b.readUInt16LE(at));
  const u32 = (at: number): number => (bigEndian ? b.readUInt32BE(at) : b.readUInt32LE(at));
  const values = new Map<number, string>();
  for (let at = 0; at + 12 <= b.length; ) {
    const tag = u16(at) * 0x10000 + u16(at + 2);
    if (tag > SOP_INSTANCE_UID) break;
    const long = explicit && hasLongForm(b.readUInt16BE(at + 4));
    const valueAt = at + (long ? 12 : 8);
    const length = !explicit ? u32(at + 4) : long ? u32(at + 8) : u16(at + 6);
    values.set(tag, b.toString('latin1', valueAt, Math.min(valueAt + length, valueAt + 64)).replace(/[\0 ]+$/, ''));
    at = valueAt + length;
  }
  return values;
}
