// Pixels of the corpus, decoded and encoded by us and by others (B5): the same hash before and after what is lossless, at most
// one grey level between two decoders of what is not.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CodecPool, CodestreamError, ENCODED_TRANSFER_SYNTAXES, pixelEncodingOf, planTranscode, type PixelModule, type TranscodedFrame } from '@perennia/pixel-codecs';
import { hasBackend } from '@perennia/testing';
import { type CorpusFile, corpusFiles } from './corpus.js';
import { hasDcmtk, hasPylibjpeg, type Opinion, opinions, writeEncoded } from './independent-decoder.js';
import { pixelFrames, type PixelFrames } from './pixel-frames.js';

const isReady = [hasBackend('corpus'), hasBackend('dcmtk') && hasDcmtk(), hasBackend('python') && isTherePylibjpeg()].every(Boolean);
const suite = isReady ? describe : describe.skip;

/** Of each file; more show nothing new. */
const FRAMES = 2;
/** Of the files that are encoded in each syntax: of larger ones there are few, and nothing new. */
const LARGEST_ENCODED_PIXELS = 310_000;
const BIG_ENDIAN = '1.2.840.10008.1.2.2';

/** Files whose frames are none of what they say: refused by us, and by every other toolkit that was asked. */
const BROKEN = /^(libdicom\/generated_encapsulated_|pydicom\/JPEG2000-embedded-sequence-delimiter)/;
/** The dataset says RGB, the JFIF segment YCbCr, and the picture agrees with the segment. */
const JFIF_SAYS_YCC = 'fo-dicom/GH195.dcm';
/** Has no end, which dcmtk does not forgive. */
const NOT_FOR_DCMTK = 'pydicom/SC_rgb_jpeg.dcm';
/** dcmtk turns 32 bits in big endian by words of 16. */
const isTurnedOtherwise = ({ transferSyntaxUid, module: { bitsAllocated } }: PixelFrames): boolean => transferSyntaxUid === BIG_ENDIAN && bitsAllocated === 32;

interface Decoded extends PixelFrames {
  file: CorpusFile;
  decoded: TranscodedFrame[];
}

suite('B5: the pixels of the corpus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennia-pixels-'));
  const pool = new CodecPool({ threads: 2 });
  let encoded: (PixelFrames & { file: CorpusFile })[];
  let native: (PixelFrames & { file: CorpusFile })[];
  let decoded: Decoded[];

  beforeAll(async () => {
    const all = await withPixels();
    const isNative = ({ transferSyntaxUid }: PixelFrames): boolean => pixelEncodingOf(transferSyntaxUid)!.codec === 'native' && transferSyntaxUid !== BIG_ENDIAN;
    native = all.filter(isNative);
    encoded = all.filter((each) => !isNative(each) && !BROKEN.test(each.file.name));
    decoded = await Promise.all(encoded.map(async (each) => ({ ...each, decoded: await Promise.all(each.frames.map((frame) => pool.decodeFrame(each.transferSyntaxUid, each.module, frame))) })));
  }, 120_000);
  afterAll(async () => {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('frames of every transfer syntax that is decoded are what another toolkit decodes', async () => {
    const compared = decoded.filter((each) => each.file.name !== NOT_FOR_DCMTK && !isTurnedOtherwise(each));
    const others = await opinions(compared.map(({ file, transferSyntaxUid, frames }) => ({ path: file.path, transferSyntaxUid, frames: frames.length, options: file.name === JFIF_SAYS_YCC ? ['+cgl'] : [] })), folder);
    const failures = compared.flatMap((each, index) => {
      const allowed = pixelEncodingOf(each.transferSyntaxUid)!.isLossy ? 1 : 0;
      const found = differences(each.decoded, others[index]!, each.module);
      return typeof found === 'number' && found <= allowed ? [] : [`${each.file.name}: ${found}`];
    });
    process.stdout.write(`decoded as by another toolkit: ${compared.length - failures.length} of ${compared.length} files in ${new Set(compared.map((each) => each.transferSyntaxUid)).size} transfer syntaxes\n`);
    expect(failures).toEqual([]);
    expect(compared.length).toBeGreaterThan(80);
  }, 120_000);

  test('32 bits in big endian are what the little endian file of the same dose has', async () => {
    const [big, little] = ['pydicom/rtdose_expb.dcm', 'pydicom/rtdose.dcm'].map((name) => [...decoded, ...native].find(({ file }) => file.name === name)!);
    expect((big as Decoded).decoded.map(({ bytes }) => sha256(bytes))).toEqual(little!.frames.map(sha256));
  });

  test('one file of each kind has the same pixel hash after every lossless transcoding, by us and by another toolkit', async () => {
    const kinds = [...decoded.map((each) => ({ ...each, frame: each.frames[0]!, hash: sha256(each.decoded[0]!.bytes) })), ...native.map((each) => ({ ...each, frame: each.frames[0]!, hash: sha256(each.frames[0]!) }))];
    const jobs = smallestOfEach(kinds).flatMap((each) => targetsOf(each).map((to) => ({ ...each, to, path: join(folder, `${each.file.name.replaceAll(/\W/g, '_')}-${to}.dcm`) })));
    const failures: string[] = [];
    const results = await Promise.all(jobs.map(async ({ transferSyntaxUid, module, frame, hash, to, path, file }) => {
      const result = await pool.transcodeFrame(transferSyntaxUid, to, module, frame);
      const again = await pool.decodeFrame(to, result.module, result.bytes);
      if (sha256(again.bytes) !== hash && module.planarConfiguration === 0) failures.push(`${file.name} as ${to}: another hash`);
      writeEncoded(path, to, result.module, result.bytes);
      return again;
    }));
    const others = await opinions(jobs.map(({ path, to }) => ({ path, transferSyntaxUid: to, frames: 1 })), folder);
    for (const [index, { file, to, module }] of jobs.entries()) {
      const found = differences([results[index]!], others[index]!, module);
      if (found !== 0) failures.push(`${file.name} as ${to}, by another toolkit: ${found}`);
    }
    process.stdout.write(`same pixels after lossless transcoding: ${jobs.length - failures.length} of ${jobs.length} ways of ${new Set(jobs.map(({ file }) => file.name)).size} files\n`);
    expect(failures).toEqual([]);
    expect(jobs.length).toBeGreaterThan(100);
  }, 120_000);

  test('files whose frames are not what they say, and the first half of each encoded frame, are refused', async () => {
    const broken = (await withPixels()).filter(({ file }) => BROKEN.test(file.name)).map(({ frames, ...each }) => ({ ...each, frame: frames[0]! }));
    const halves = smallestOfEach(encoded).map(({ frames, ...each }) => ({ ...each, frame: frames[0]!.subarray(0, frames[0]!.length >> 1) }));
    const failures: string[] = [];
    await Promise.all([...broken, ...halves].map(async ({ file, transferSyntaxUid, module, frame }) => {
      const outcome: unknown = await pool.decodeFrame(transferSyntaxUid, module, frame).catch((error: unknown) => error);
      if (!(outcome instanceof CodestreamError)) failures.push(`${file.name} (${transferSyntaxUid}): ${outcome instanceof Error ? outcome.message : 'decoded'}`);
    }));
    expect(failures).toEqual([]);
    expect(broken.length).toBeGreaterThan(4);
  }, 60_000);
});

/** All files with pixels in a transfer syntax that is decoded, with their first frames. */
async function withPixels(): Promise<(PixelFrames & { file: CorpusFile })[]> {
  const result: (PixelFrames & { file: CorpusFile })[] = [];
  for (const file of [...corpusFiles({ class: 'valid' }), ...corpusFiles({ class: 'invalid' })]) {
    // Of the invalid ones many are no files at all.
    const found = await pixelFrames(file.read()).catch(() => undefined);
    if (found === undefined || found.frames.length === 0 || pixelEncodingOf(found.transferSyntaxUid) === undefined) continue;
    result.push({ ...found, frames: found.frames.slice(0, FRAMES), file });
  }
  return result;
}

/** Files that differ in nothing that matters to codecs show the same: the smallest of them is taken. */
function smallestOfEach<File extends PixelFrames>(files: readonly File[]): File[] {
  const byKind = new Map<string, File>();
  for (const file of files) {
    const { rows, columns, ...kind } = file.module;
    const key = JSON.stringify([file.transferSyntaxUid, kind]);
    if (rows * columns < size(byKind.get(key)?.module)) byKind.set(key, file);
  }
  return [...byKind.values()];
}
const size = (module: PixelModule | undefined): number => (module === undefined ? LARGEST_ENCODED_PIXELS : module.rows * module.columns);

/** The lossless transfer syntaxes, native ones left out, in which the pixels can be had. */
function targetsOf({ transferSyntaxUid, module }: PixelFrames): string[] {
  return ENCODED_TRANSFER_SYNTAXES.filter((to) => {
    if (to === transferSyntaxUid || pixelEncodingOf(to)!.codec === 'native') return false;
    try {
      planTranscode(transferSyntaxUid, to, module);
      return true;
    } catch {
      return false;
    }
  });
}

/** The largest difference between two samples, by the bits that are stored; or why they cannot be compared. */
function differences(ours: readonly TranscodedFrame[], theirs: Opinion, { bitsAllocated, bitsStored }: PixelModule): number | string {
  if (typeof theirs === 'string') return theirs;
  let largest = 0;
  for (const [index, { bytes }] of ours.entries()) {
    const other = theirs[index];
    if (other?.length !== bytes.length) return `${bytes.length} bytes instead of ${other?.length}`;
    if (Buffer.compare(other, bytes) === 0) continue;
    const [a, b] = [samples(bytes, bitsAllocated), samples(other, bitsAllocated)];
    const mask = bitsAllocated > 16 ? 0xff : 2 ** bitsStored - 1;
    for (let at = 0; at < a.length; at++) {
      const difference = (a[at]! & mask) - (b[at]! & mask);
      if (difference > largest || -difference > largest) largest = difference > 0 ? difference : -difference;
    }
  }
  return largest;
}
const samples = (bytes: Uint8Array, bitsAllocated: number): Uint8Array | Uint16Array => (bitsAllocated === 16 ? new Uint16Array(new Uint8Array(bytes).buffer) : bytes);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Required with Python where that is. */
function isTherePylibjpeg(): boolean {
  if (hasPylibjpeg()) return true;
  if ((process.env['VNA_REQUIRE_BACKENDS'] ?? '').split(',').includes('python')) throw new Error('The Python packages pylibjpeg and pylibjpeg-openjpeg are required here (VNA_REQUIRE_BACKENDS).');
  process.stderr.write('SKIPPING tests that need pylibjpeg: python3 does not have it with pylibjpeg-openjpeg.\n');
  return false;
}
