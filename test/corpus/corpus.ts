// The real and synthetic DICOM files beside the checkout, with what two independent toolkits say about them. Gives files to
// black-box tests, and makes of each an object that any road can carry: own UIDs where files share one, even length, and
// File Meta Information that agrees with the dataset.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxOf } from '@perennia/dicom-data';
import { locateBulkData, part10Prefix, Part10Reader } from '@perennia/dicom-stream';
import { corpusDirectory } from '@perennia/testing';

export type CorpusClass = 'valid' | 'invalid' | 'quirk' | 'dicomdir' | 'worklist';

/** What expected.json says: values by keyword as text, in UTF-8. */
export interface Expected {
  class: CorpusClass;
  ts: string;
  patient: Readonly<Record<string, string>>;
  study: Readonly<Record<string, string>>;
  series: Readonly<Record<string, string>>;
  instance: Readonly<Record<string, string>>;
  /** Elements of the dataset, and those of them with odd group, sequences not looked into. */
  n_elements: number;
  n_private: number;
  frames?: number;
  /** Of the value of native pixel data, or of all items of encapsulated one, joined without their headers. */
  pixel_sha256?: string;
  pixel_bytes?: number;
  /** Items of encapsulated pixel data with the basic offset table. */
  pixel_fragments?: number;
  frame_count_found?: number;
  /** First 16 hex digits each. */
  frame_sha256_first_last?: [string, string];
  disagree_pydicom_vs_dcmtk?: string[];
}

export interface CorpusFile {
  /** Path below the corpus directory; its name in test output. */
  name: string;
  path: string;
  expected: Expected;
  /** Other files with the same SOP Instance UID. */
  sharesUidWith: string[];
  oddities: string;
  read(): Buffer;
}

/** The files of a class, in the order of the manifest. */
export function corpusFiles(filter: { class: CorpusClass }): CorpusFile[] {
  const expected = JSON.parse(readFileSync(join(corpusDirectory, 'expected.json'), 'utf8')) as Record<string, Expected>;
  return manifest()
    .filter((row) => row['cls'] === filter.class)
    .map((row) => {
      const name = row['file']!;
      const path = join(corpusDirectory, name);
      const sharesUidWith = row['same_sop_uid_as']!.split('; ').filter((other) => other !== '');
      return { name, path, expected: expected[name] ?? nothingExpected(filter.class), sharesUidWith, oddities: row['oddities']!, read: () => readFileSync(path) };
    });
}

/** pydicom reads GB2312 text wrongly; what dcmtk reads is right (the corpus's README says so). */
export function expectedText(file: CorpusFile, keyword: string, value: string): string {
  return file.name === 'fo-dicom/chrGB2312.dcm' && keyword === 'PatientName' ? 'Zhang^XiaoDong=张^小东' : value;
}

export interface DimseObject {
  name: string;
  sopClassUid: string;
  sopInstanceUid: string;
  studyInstanceUid: string;
  seriesInstanceUid: string;
  transferSyntaxUid: string;
  dataset: Buffer;
  /** The same as a file: our File Meta Information, made of the dataset's UIDs, and the dataset. */
  part10: Buffer;
  expected: Expected;
  /** Differences from the file, for the test output; the pixel digest is void after `padded`. */
  changes: ('new-uids' | 'padded')[];
}

/** The file as an object of its own: given new UIDs if it shares one with another file, padded if its length is odd. */
export function asDimseObject(file: CorpusFile): DimseObject {
  return file.sharesUidWith.length > 0 ? withNewUids(file) : build(file, false);
}

/** As `asDimseObject`, always with new Study, Series and SOP Instance UIDs: of the same length, the same at every run. */
export function withNewUids(file: CorpusFile): DimseObject {
  return build(file, true);
}

function build(file: CorpusFile, isRenamed: boolean): DimseObject {
  const part10 = new Part10Reader();
  const bytes = file.read();
  const rest = part10.push(bytes);
  const stored = Buffer.from(part10.header === undefined ? part10.end() : rest);
  const transferSyntaxUid = part10.header!.transferSyntaxUid;
  const { deflated } = transferSyntaxOf(transferSyntaxUid);
  const changes: DimseObject['changes'] = [];
  let plain: Buffer = deflated ? inflateRawSync(stored) : stored;
  // The dataset inside of a deflate stream is explicit VR little endian.
  const syntax = deflated ? EXPLICIT_VR_LITTLE_ENDIAN : transferSyntaxUid;
  if (isRenamed) {
    for (const key of ['0020000D', '0020000E', '00080018']) renameUid(plain, syntax, key, file.name);
    changes.push('new-uids');
  }
  if (plain.length % 2 === 1) {
    plain = padded(plain, syntax);
    changes.push('padded');
  }
  let dataset: Buffer = !deflated ? plain : changes.length > 0 ? deflateRawSync(plain) : stored;
  if (dataset.length % 2 === 1) {
    // PS3.5 §A.5: a deflated dataset of odd length is followed by a zero byte.
    dataset = Buffer.concat([dataset, Buffer.alloc(1)]);
    changes.push('padded');
  }
  const uid = (key: string): string => uidAt(plain, syntax, key);
  const fields = { sopClassUid: uid('00080016'), sopInstanceUid: uid('00080018'), transferSyntaxUid };
  return {
    name: file.name, ...fields, studyInstanceUid: uid('0020000D'), seriesInstanceUid: uid('0020000E'), dataset, changes,
    part10: Buffer.concat([part10Prefix(fields), dataset]),
    expected: isRenamed ? renamed(file.expected, uid) : file.expected,
  };
}

function renamed(expected: Expected, uid: (key: string) => string): Expected {
  return {
    ...expected,
    study: { ...expected.study, StudyInstanceUID: uid('0020000D') },
    series: { ...expected.series, SeriesInstanceUID: uid('0020000E') },
    instance: { ...expected.instance, SOPInstanceUID: uid('00080018') },
  };
}

/** Overwrites the digits of a UID behind its third component by digits of a hash; never 0, so that no component begins with it. */
function renameUid(dataset: Buffer, transferSyntaxUid: string, key: string, name: string): void {
  const place = locateBulkData(dataset, transferSyntaxUid, key);
  if (place === undefined) return;
  const digest = createHash('sha256').update(`${name} ${key}`).digest();
  let dots = 0;
  for (let i = 0; i < place.length; i++) {
    const c = dataset[place.offset + i]!;
    if (c === 0x2e) dots++;
    else if (dots >= 3 && c !== 0 && c !== 0x20) dataset[place.offset + i] = 0x31 + (digest[i % digest.length]! % 9);
  }
}

function uidAt(dataset: Buffer, transferSyntaxUid: string, key: string): string {
  const place = locateBulkData(dataset, transferSyntaxUid, key);
  return place === undefined ? '' : dataset.toString('latin1', place.offset, place.offset + place.length).replace(/[\0 ]+$/, '');
}

/** Adds a zero byte to pixel data of odd length that ends the dataset (PS3.5 §7.1.1 wants even lengths). */
function padded(dataset: Buffer, transferSyntaxUid: string): Buffer {
  const place = locateBulkData(dataset, transferSyntaxUid, '7FE00010');
  if (place === undefined || place.offset + place.length !== dataset.length) throw new Error('A dataset of odd length does not end with pixel data.');
  const even = Buffer.concat([dataset, Buffer.alloc(1)]);
  if (place.bigEndian) even.writeUInt32BE(place.length + 1, place.offset - 4);
  else even.writeUInt32LE(place.length + 1, place.offset - 4);
  return even;
}

function nothingExpected(ofClass: CorpusClass): Expected {
  return { class: ofClass, ts: '', patient: {}, study: {}, series: {}, instance: {}, n_elements: 0, n_private: 0 };
}

/** The manifest has quoted cells, with doubled quotes, but no line breaks in them. */
function manifest(): Record<string, string>[] {
  const [head, ...lines] = readFileSync(join(corpusDirectory, 'MANIFEST.csv'), 'utf8').trimEnd().split(/\r?\n/).map(cells);
  return lines.map((line) => Object.fromEntries(head!.map((column, i) => [column, line[i] ?? ''])));
}
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((found) => found[1]?.replaceAll('""', '"') ?? found[2]!);
}
