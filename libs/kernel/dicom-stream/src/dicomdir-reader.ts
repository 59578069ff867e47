// Reads the directory of a medium (PS3.3 §F): which files it refers to and the keys of their records. The records are taken
// in the order in which they stand; offsets between records are not followed, since media exist whose offsets are wrong,
// missing or out of order, and what is wanted are the files. Patient and study keys come from the records before.
import { type DicomJsonDataset } from '@perennia/contracts';
import { DicomParseError, transferSyntaxOf } from '@perennia/dicom-data';
import { DatasetJsonVisitor } from './dataset-json-visitor.js';
import { ElementReader } from './element-reader.js';
import { Part10Reader } from './part10-reader.js';
import { text } from './search-attributes.js';

const MEDIA_STORAGE_DIRECTORY = '1.2.840.10008.1.3.10';

export interface DicomdirEntry {
  /** Components of Referenced File ID (0004,1500), unchecked: never join them to a path before looking at them. */
  fileId: string[];
  recordType: string;
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  /** Keys of the directory records above; '' where the medium has none. */
  patientId: string;
  studyInstanceUid: string;
  seriesInstanceUid: string;
}
export interface Dicomdir {
  fileSetId: string;
  entries: DicomdirEntry[];
}

/** @throws DicomParseError NOT_DICOM when the file is DICOM but no directory */
export function readDicomdir(file: Uint8Array): Dicomdir {
  const part10 = new Part10Reader();
  const first = part10.push(file);
  const dataset = part10.header === undefined ? part10.end() : first;
  const { transferSyntaxUid, mediaStorageSopClassUid } = part10.header!;
  const json = parse(dataset, transferSyntaxUid);
  if (mediaStorageSopClassUid !== MEDIA_STORAGE_DIRECTORY && json['00041220'] === undefined) throw new DicomParseError('NOT_DICOM', 'The file is no DICOMDIR.');
  return { fileSetId: text(json, '00041130') ?? '', entries: entriesOf((json['00041220']?.Value ?? []) as DicomJsonDataset[]) };
}

function parse(dataset: Uint8Array, transferSyntaxUid: string): DicomJsonDataset {
  const { explicit, bigEndian } = transferSyntaxOf(transferSyntaxUid);
  const visitor = new DatasetJsonVisitor();
  const reader = new ElementReader({ explicit, bigEndian, visitor });
  visitor.attach(reader);
  reader.push(dataset);
  reader.end();
  return visitor.dataset;
}

function entriesOf(records: readonly DicomJsonDataset[]): DicomdirEntry[] {
  const above = { patientId: '', studyInstanceUid: '', seriesInstanceUid: '' };
  const entries: DicomdirEntry[] = [];
  for (const record of records) {
    const recordType = text(record, '00041430') ?? '';
    if (recordType === 'PATIENT') Object.assign(above, { patientId: text(record, '00100020') ?? '', studyInstanceUid: '', seriesInstanceUid: '' });
    else if (recordType === 'STUDY') Object.assign(above, { studyInstanceUid: text(record, '0020000D') ?? '', seriesInstanceUid: '' });
    else if (recordType === 'SERIES') above.seriesInstanceUid = text(record, '0020000E') ?? '';
    const fileId = (record['00041500']?.Value ?? []).filter((part): part is string => typeof part === 'string');
    if (fileId.length === 0) continue;
    entries.push({
      fileId, recordType, ...above,
      sopClassUid: text(record, '00041510') ?? '',
      sopInstanceUid: text(record, '00041511') ?? '',
      transferSyntaxUid: text(record, '00041512') ?? '',
    });
  }
  return entries;
}
