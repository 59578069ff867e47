// Reads the directory of a medium (PS3.3 §F): which files it refers to and the keys of the records above them. Offsets between
// records are followed as far as they lead to records; a record that none leads to takes its keys from those that stand before
// it. Lengths that do not fit end the reading, not the import: what was read until then is answered.
import { type DicomJsonDataset } from '@perennia/contracts';
import { DicomParseError, transferSyntaxOf } from '@perennia/dicom-data';
import { DatasetJsonVisitor } from './dataset-json-visitor.js';
import { ElementReader } from './element-reader.js';
import { Part10Reader } from './part10-reader.js';
import { integer, text } from './search-attributes.js';

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
  const { transferSyntaxUid, mediaStorageSopClassUid, datasetOffset } = part10.header!;
  const visitor = readRecords(dataset, transferSyntaxUid, datasetOffset);
  if (mediaStorageSopClassUid !== MEDIA_STORAGE_DIRECTORY && visitor.dataset['00041220'] === undefined) throw new DicomParseError('NOT_DICOM', 'The file is no DICOMDIR.');
  const keys = followOffsets(visitor.records, integer(visitor.dataset, '00041200') ?? 0);
  return { fileSetId: text(visitor.dataset, '00041130') ?? '', entries: entriesOf(visitor.records, keys) };
}

interface DirectoryRecord {
  /** Where its item begins in the file; what offsets between records count from is the same. */
  offset: number;
  dataset: DicomJsonDataset;
}
type Keys = Pick<DicomdirEntry, 'patientId' | 'studyInstanceUid' | 'seriesInstanceUid'>;
const NO_KEYS: Keys = { patientId: '', studyInstanceUid: '', seriesInstanceUid: '' };

/** Keeps the items of the Directory Record Sequence with their places, also when its end is never reached. */
class DirectoryVisitor extends DatasetJsonVisitor {
  readonly records: DirectoryRecord[] = [];
  itemOffset: () => number = () => 0;

  override startItem(): void {
    super.startItem();
    if (this.itemDepth === 1) this.records.push({ offset: this.itemOffset(), dataset: this.current });
  }
}

function readRecords(dataset: Uint8Array, transferSyntaxUid: string, baseOffset: number): DirectoryVisitor {
  const { explicit, bigEndian } = transferSyntaxOf(transferSyntaxUid);
  const visitor = new DirectoryVisitor();
  const reader = new ElementReader({ explicit, bigEndian, visitor, baseOffset });
  visitor.attach(reader);
  visitor.itemOffset = () => reader.tagOffset;
  try {
    reader.push(dataset);
  } catch (error) {
    // Without a record there is nothing to make the best of.
    if (!(error instanceof DicomParseError) || visitor.records.length === 0) throw error;
  }
  return visitor;
}

/** The keys above each record that offsets lead to, from the root on; no record is visited twice. */
function followOffsets(records: readonly DirectoryRecord[], root: number): Map<DirectoryRecord, Keys> {
  const byOffset = new Map(records.map((record) => [record.offset, record]));
  const found = new Map<DirectoryRecord, Keys>();
  const open: { offset: number; above: Keys }[] = [{ offset: root, above: NO_KEYS }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const record = byOffset.get(next.offset);
    if (record === undefined || found.has(record)) continue;
    found.set(record, next.above);
    open.push({ offset: integer(record.dataset, '00041400') ?? 0, above: next.above });
    open.push({ offset: integer(record.dataset, '00041420') ?? 0, above: keysBelow(record.dataset, next.above) });
  }
  return found;
}

/** The keys of what stands below a record. */
function keysBelow(record: DicomJsonDataset, above: Keys): Keys {
  switch (text(record, '00041430')) {
    case 'PATIENT': return { ...NO_KEYS, patientId: text(record, '00100020') ?? '' };
    case 'STUDY': return { ...above, studyInstanceUid: text(record, '0020000D') ?? '', seriesInstanceUid: '' };
    case 'SERIES': return { ...above, seriesInstanceUid: text(record, '0020000E') ?? '' };
    default: return above;
  }
}

function entriesOf(records: readonly DirectoryRecord[], linked: ReadonlyMap<DirectoryRecord, Keys>): DicomdirEntry[] {
  const entries: DicomdirEntry[] = [];
  let before = NO_KEYS;
  for (const record of records) {
    const { dataset } = record;
    const keys = linked.get(record) ?? before;
    before = keysBelow(dataset, before);
    const fileId = (dataset['00041500']?.Value ?? []).filter((part): part is string => typeof part === 'string');
    if (fileId.length === 0) continue;
    entries.push({
      fileId, recordType: text(dataset, '00041430') ?? '', ...keys,
      sopClassUid: text(dataset, '00041510') ?? '',
      sopInstanceUid: text(dataset, '00041511') ?? '',
      transferSyntaxUid: text(dataset, '00041512') ?? '',
    });
  }
  return entries;
}
