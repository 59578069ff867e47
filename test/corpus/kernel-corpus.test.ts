// The DICOM kernel against every file of the corpus: index attributes, frames, refusals, and two other parsers as oracles.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, jest, test } from '@jest/globals';
import { type DicomJsonDataset } from '@perennia/contracts';
import { isValidUid, tagKey, tagOfKeyword, transferSyntaxOf } from '@perennia/dicom-data';
import {
  CAPTURE, ElementReader, type ElementVisitor, HeaderMemory, type HeaderSummary, HeaderTap, headerToJson, frameRange, locateBulkData, Part10Reader, PIXEL_HEADER_BYTES, readDicomdir, SKIP,
} from '@perennia/dicom-stream';
import { hasBackend } from '@perennia/testing';
import { sameText, valueText } from './expected-text.js';
import { asDimseObject, type CorpusFile, corpusFiles, expectedText, withNewUids } from './corpus.js';

const require = createRequire(import.meta.url);
const suite = hasBackend('corpus') ? describe : describe.skip;

interface Opened {
  object: Buffer;
  dataset: Buffer;
  datasetOffset: number;
  transferSyntaxUid: string;
}
function open(bytes: Buffer): Opened {
  const reader = new Part10Reader();
  const first = reader.push(bytes);
  const dataset = Buffer.from(reader.header === undefined ? reader.end() : first);
  return { object: bytes, dataset, datasetOffset: reader.header!.datasetOffset, transferSyntaxUid: reader.header!.transferSyntaxUid };
}
const EDGE_BYTES = 16 * 1024;
/** @param innerChunkBytes chunks of the inside of a large file, whose beginning and end are read by `chunkBytes` */
async function tap(file: Opened, chunkBytes = file.dataset.length || 1, innerChunkBytes = chunkBytes, memory?: HeaderMemory): Promise<HeaderSummary> {
  const header = new HeaderTap({ transferSyntaxUid: file.transferSyntaxUid, datasetOffset: file.datasetOffset, ...(memory && { memory }) });
  // One buffer for all chunks, so that whoever kept one would see it change.
  const chunk = Buffer.alloc(Math.max(chunkBytes, innerChunkBytes));
  for (let at = 0; at < file.dataset.length; ) {
    const isInner = at > EDGE_BYTES && at < file.dataset.length - EDGE_BYTES;
    const length = file.dataset.copy(chunk, 0, at, at + (isInner ? innerChunkBytes : chunkBytes));
    const pending = header.push(chunk.subarray(0, length));
    if (pending !== undefined) await pending;
    at += length;
  }
  chunk.fill(0xaa);
  return header.end();
}
/** Runs a check over files, collects what failed, and prints `n of n`. */
async function every(title: string, files: readonly CorpusFile[], check: (file: CorpusFile) => Promise<string | undefined> | string | undefined): Promise<void> {
  const failures: string[] = [];
  for (const file of files) {
    try {
      const failure = await check(file);
      if (failure !== undefined) failures.push(`${file.name}: ${failure}`);
    } catch (error) {
      failures.push(`${file.name}: ${String(error)}`);
    }
  }
  process.stdout.write(`${title}: ${files.length - failures.length} of ${files.length}\n`);
  expect(failures).toEqual([]);
}
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The values of the items in a range, without their headers. */
function joinItems(range: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= range.length; ) {
    const length = range.readUInt32LE(at + 4);
    parts.push(range.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts);
}

suite('the DICOM kernel and the corpus', () => {
  test('every valid file gives the index attributes that other toolkits read', async () => {
    await every('index attributes', corpusFiles({ class: 'valid' }), async (file) => {
      const { attributes } = await tap(open(file.read()));
      const all = { ...attributes.study, ...attributes.series, ...attributes.instance };
      const { patient, study, series, instance } = file.expected;
      const wrong = Object.entries({ ...patient, ...study, ...series, ...instance })
        .map(([keyword, value]) => [keyword, valueText(all, tagKey(tagOfKeyword(keyword)!)), expectedText(file, keyword, value)] as const)
        .filter(([keyword, found, expected]) => !sameText(keyword, found, expected));
      return wrong.length === 0 ? undefined : JSON.stringify(wrong);
    });
  });

  test('every valid file names its UIDs, its frames, and where its pixels are', async () => {
    await every('frames and pixels', corpusFiles({ class: 'valid' }), async (file) => {
      const opened = open(file.read());
      const summary = await tap(opened);
      const uids = [summary.sopClassUid, summary.sopInstanceUid, summary.studyInstanceUid, summary.seriesInstanceUid];
      if (!uids.every(isValidUid)) return 'an invalid UID';
      return pixelFailure(file, opened, summary);
    });
  });

  test('chunks of any size give the same summary', async () => {
    await every('byte-by-byte', corpusFiles({ class: 'valid' }), async (file) => {
      const opened = open(file.read());
      const whole = JSON.stringify(await tap(opened));
      // A promise a byte is slow for deflated datasets, whose chunks do not reach the reader anyway.
      const sizes = transferSyntaxOf(opened.transferSyntaxUid).deflated ? [[997, 997]] : [[1, 61], [7, 7], [4096, 4096]];
      for (const [outer, inner] of sizes) if (JSON.stringify(await tap(opened, outer, inner)) !== whole) return `chunks of ${outer} bytes differ`;
      return undefined;
    });
  });

  test('what the file before said makes no difference', async () => {
    const memory = new HeaderMemory();
    await every('with a memory', corpusFiles({ class: 'valid' }), async (file) => {
      const opened = open(file.read());
      const alone = await tap(opened);
      // Twice: after another file, and after itself.
      for (const _ of [1, 2]) if (!isDeepStrictEqual(await tap(opened, opened.dataset.length || 1, undefined, memory), alone)) return 'another summary';
      return undefined;
    });
  });

  test('invalid files are refused, by the reader or for want of a UID', async () => {
    await every('invalid files', corpusFiles({ class: 'invalid' }), async (file) => {
      try {
        const { sopClassUid, sopInstanceUid, studyInstanceUid, seriesInstanceUid } = await tap(open(file.read()));
        return [sopClassUid, sopInstanceUid, studyInstanceUid, seriesInstanceUid].every(isValidUid) ? 'accepted' : undefined;
      } catch (error) {
        return (error as { code?: string }).code === undefined ? String(error) : undefined;
      }
    });
  });

  test.each([
    ['pydicom/ExplVR_BigEndNoMeta.dcm', 'accepted'],
    ['pydicom/ExplVR_LitEndNoMeta.dcm', 'accepted'],
    ['pydicom/MR_truncated.dcm', 'TRUNCATED'],
    ['pydicom/rtplan_truncated.dcm', 'TRUNCATED'],
    ['pydicom/rtstruct.dcm', 'accepted'],
  ])('the quirk %s is %s', async (name, outcome) => {
    const file = corpusFiles({ class: 'quirk' }).find((quirk) => quirk.name === name)!;
    const result = await tap(open(file.read())).then(
      (summary) => (summary.sopInstanceUid === file.expected.instance['SOPInstanceUID'] ? 'accepted' : 'wrong UID'),
      (error: { code: string }) => error.code,
    );
    expect(result).toBe(outcome);
  });

  test('every DICOMDIR is read, however its offsets are', async () => {
    const images = new Map(
      corpusFiles({ class: 'valid' }).map(({ name, expected: { study, series, instance } }) => [name, [study['StudyInstanceUID'], series['SeriesInstanceUID'], instance['SOPInstanceUID']].join()]),
    );
    await every('DICOMDIR', corpusFiles({ class: 'dicomdir' }), (file) => {
      const { entries } = readDicomdir(file.read());
      const wanted = file.name.endsWith('DICOMDIR-empty.dcm') ? 0 : file.name.includes('TINY_ALPHA') ? 50 : 31;
      if (entries.length !== wanted) return `${entries.length} entries`;
      // One of the media has lost the record of the first patient, and with it the way to its first study.
      const isKnown = file.name.endsWith('nopatient') ? entries.slice(1) : entries;
      const wrong = isKnown.filter(({ fileId, studyInstanceUid, seriesInstanceUid, sopInstanceUid }) => {
        const real = images.get(`dicomdirtests/${fileId.join('/')}`);
        return real !== undefined && [studyInstanceUid, seriesInstanceUid, sopInstanceUid].join() !== real;
      });
      return wrong.length === 0 ? undefined : `${wrong.length} entries with wrong keys`;
    });
  });

  test('whole headers agree with dcmjs', async () => {
    interface Dcmjs {
      data: { DicomMessage: { readFile(bytes: ArrayBuffer, options: object): { dict: Record<string, { vr: string }> } } };
    }
    // It grumbles about files through the console it finds when it is loaded; what counts here is what it reads.
    const grumbling = (['error', 'warn', 'info', 'log'] as const).map((method) => jest.spyOn(console, method).mockImplementation(() => undefined));
    const { data } = require('dcmjs') as Dcmjs;
    await every('dcmjs', corpusFiles({ class: 'valid' }).filter((file) => !DCMJS_FAILS.has(file.name)), (file) => {
      const opened = open(file.read());
      const json = wholeJson(opened);
      const { dict } = data.DicomMessage.readFile(new Uint8Array(opened.object).buffer, { ignoreErrors: true });
      const keys = Object.keys(dict).map((key) => key.toUpperCase()).filter((key) => !key.endsWith('0000') && key !== 'FFFCFFFC');
      const ours = Object.keys(json);
      const difference = [...keys.filter((key) => !(key in json)), ...ours.filter((key) => !keys.includes(key))].filter((key) => key < '7FE00008');
      return difference.length === 0 ? undefined : difference.slice(0, 5).join(' ');
    });
    for (const spy of grumbling) spy.mockRestore();
  });

  test('elements stand where dicom-parser finds them', async () => {
    interface Parsed {
      elements: Record<string, { dataOffset: number; length: number; hadUndefinedLength?: boolean }>;
    }
    const parser = require('dicom-parser') as { parseDicom(bytes: Uint8Array, options?: object): Parsed };
    await every('dicom-parser', corpusFiles({ class: 'valid' }).filter((file) => !DICOM_PARSER_FAILS.has(file.name)), (file) => {
      const opened = open(file.read());
      if (transferSyntaxOf(opened.transferSyntaxUid).deflated) return undefined;
      const theirs = parser.parseDicom(new Uint8Array(opened.object)).elements;
      const ours = topLevel(opened);
      const expected = Object.entries(theirs).filter(([key]) => key >= 'x0003').map(([key, element]) => `${key.slice(1).toUpperCase()}@${element.dataOffset}`);
      const difference = expected.filter((place) => !ours.has(place));
      return difference.length === 0 && ours.size === expected.length ? undefined : `${difference.slice(0, 3).join(' ')} (${ours.size}/${expected.length})`;
    });
  });

  test('every valid file becomes an object of its own', async () => {
    const seen = new Set<string>();
    await every('as DIMSE objects', corpusFiles({ class: 'valid' }), async (file) => {
      const object = asDimseObject(file);
      if (seen.has(object.sopInstanceUid)) return 'SOP Instance UID again';
      seen.add(object.sopInstanceUid);
      if (object.dataset.length % 2 !== 0) return 'odd length';
      const summary = await tap(open(object.part10));
      if (summary.sopInstanceUid !== object.sopInstanceUid || object.sopInstanceUid !== object.expected.instance['SOPInstanceUID']) return 'UIDs differ';
      return isValidUid(withNewUids(file).studyInstanceUid) ? undefined : 'an invalid UID';
    });
  });
});

function pixelFailure(file: CorpusFile, opened: Opened, summary: HeaderSummary): string | undefined {
  const { expected } = file;
  const { frameIndex } = summary;
  if (expected.frames === undefined) return undefined;
  if (summary.numberOfFrames !== expected.frames) return `${summary.numberOfFrames} frames`;
  if (frameIndex.kind === 'sequential') {
    const plain = inflateRawSync(opened.dataset);
    const place = locateBulkData(opened.dataset, opened.transferSyntaxUid, '7FE00010')!;
    return sha256(plain.subarray(place.offset, place.offset + place.length)) === expected.pixel_sha256 ? undefined : 'pixels differ';
  }
  if (frameIndex.kind === 'native') {
    if (frameRange(frameIndex, frameIndex.frames) !== undefined) return 'a frame too many';
    const last = frameRange(frameIndex, frameIndex.frames - 1)!;
    if (last.offset + last.length > frameIndex.offset + frameIndex.length || frameIndex.offset + frameIndex.length - last.offset - last.length > 1) return 'frames do not fill the pixel data';
    return sha256(opened.object.subarray(frameIndex.offset, frameIndex.offset + frameIndex.length)) === expected.pixel_sha256 ? undefined : 'pixels differ';
  }
  if (frameIndex.kind !== 'encapsulated') return frameIndex.kind;
  if (frameIndex.frames !== expected.frame_count_found) return `${frameIndex.frames} frames indexed`;
  const digests = [0, frameIndex.frames - 1].map((frame) => {
    const range = frameRange(frameIndex, frame)!;
    return sha256(joinItems(opened.object.subarray(range.offset, range.offset + range.length))).slice(0, 16);
  });
  return digests.join() === expected.frame_sha256_first_last?.join() ? undefined : 'frames differ';
}

function wholeJson(opened: Opened): DicomJsonDataset {
  const place = transferSyntaxOf(opened.transferSyntaxUid).deflated ? undefined : locateBulkData(opened.dataset, opened.transferSyntaxUid, '7FE00010');
  const header = place === undefined ? opened.dataset : opened.dataset.subarray(0, Math.min(place.offset + PIXEL_HEADER_BYTES, opened.dataset.length));
  return headerToJson(header, opened.transferSyntaxUid, { bulkDataUri: (path) => `bulk/${path}`, inlineLimitBytes: 1024 });
}

function topLevel(opened: Opened): Set<string> {
  const places = new Set<string>();
  const { explicit, bigEndian } = transferSyntaxOf(opened.transferSyntaxUid);
  const visitor: ElementVisitor = {
    element(tag, _vr, length) {
      places.add(`${tagKey(tag)}@${reader.valueOffset}`);
      return length < 64 ? CAPTURE : SKIP;
    },
    value() {}, startItem() {}, endItem() {}, endSequence() {}, fragment: () => SKIP, fragmentHead() {}, endFragments() {},
  };
  const reader = new ElementReader({ explicit, bigEndian, visitor, baseOffset: opened.datasetOffset });
  reader.push(opened.dataset);
  reader.end();
  return places;
}

/** Files that the oracle reads wrongly, each looked at: blank VRs, and implicit VR under an explicit transfer syntax; dicom-parser does not know OV, SV and UV. */
const DCMJS_FAILS = new Set(['fo-dicom/GH179A.dcm', 'fo-dicom/GH179B.dcm', 'pydicom/SC_rgb_jpeg.dcm']);
const DICOM_PARSER_FAILS = new Set(['fo-dicom/GH179B.dcm', 'pydicom/SC_rgb_jpeg.dcm', 'synth/rle_5frames_extended_offset_table.dcm', 'synth/vr_all_large.dcm']);
