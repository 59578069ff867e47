// What other toolkits make of encoded frames: dcmtk of JPEG, JPEG-LS, RLE and big endian, pydicom with OpenJPEG of JPEG 2000
// and High-Throughput JPEG 2000.
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Dataset, Fragments, writeDataset } from '@perennia/dicom-data';
import { part10Prefix } from '@perennia/dicom-stream';
import { pixelEncodingOf, type CodecName, type PixelModule } from '@perennia/pixel-codecs';
import { dcmtkTool } from '@perennia/testing';
import { pixelFrames } from './pixel-frames.js';

const run = promisify(execFile);
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

/** An encoded object in a file, and how many of its frames are wanted. */
export interface EncodedFile {
  path: string;
  transferSyntaxUid: string;
  frames: number;
  /** Of dcmdjpeg, where a file contradicts itself. */
  options?: readonly string[];
}

/** The decoded frames of each file, in the order of the files; an error's text where the toolkit refused it. */
export type Opinion = Buffer[] | string;

const tools: Readonly<Partial<Record<CodecName, (file: EncodedFile, out: string) => [string, string[]]>>> = {
  jpeg: ({ path, options = [] }, out) => ['dcmdjpeg', ['+px', ...options, path, out]],
  'jpeg-ls': ({ path }, out) => ['dcmdjpls', ['+px', path, out]],
  rle: ({ path }, out) => ['dcmdrle', [path, out]],
  native: ({ path }, out) => ['dcmconv', ['+te', path, out]],
};

export const hasPylibjpeg = (): boolean => spawnSync('python3', ['-c', 'import pydicom, pylibjpeg, openjpeg'], { stdio: 'ignore' }).status === 0;
export const hasDcmtk = (): boolean => ['dcmdjpeg', 'dcmdjpls', 'dcmdrle', 'dcmconv'].every((tool) => dcmtkTool(tool) !== undefined);

/** @param folder for what the toolkits write */
export async function opinions(files: readonly EncodedFile[], folder: string): Promise<Opinion[]> {
  const result: Opinion[] = files.map(() => 'No toolkit was asked.');
  const forPython: { index: number; path: string; out: string; frames: number }[] = [];
  for (const [index, file] of files.entries()) {
    const tool = tools[pixelEncodingOf(file.transferSyntaxUid)!.codec];
    if (tool === undefined) forPython.push({ index, path: file.path, out: join(folder, `python-${index}`), frames: file.frames });
    else result[index] = await askDcmtk(tool(file, join(folder, 'dcmtk')), join(folder, 'dcmtk'), file.frames);
  }
  const errors = forPython.length === 0 ? [] : askPython(forPython);
  for (const [at, { index, out, frames }] of forPython.entries()) result[index] = errors[at] ?? split(readFileSync(out), frames);
  return result;
}

const paths = new Map<string, string>();
const pathOf = (tool: string): string => paths.get(tool) ?? paths.set(tool, dcmtkTool(tool)!).get(tool)!;

async function askDcmtk([tool, parameters]: [string, string[]], out: string, frames: number): Promise<Opinion> {
  try {
    await run(pathOf(tool), parameters);
    return (await pixelFrames(readFileSync(out)))!.frames.slice(0, frames);
  } catch (error) {
    return String(error);
  }
}

function askPython(jobs: readonly { path: string; out: string; frames: number }[]): (string | null)[] {
  const input = JSON.stringify(jobs.map(({ path, out, frames }) => ({ path, out, frames })));
  const { stdout, stderr } = spawnSync('python3', [join(import.meta.dirname, 'decode_frames.py')], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as (string | null)[];
}

const split = (bytes: Buffer, frames: number): Buffer[] => Array.from({ length: frames }, (_, frame) => bytes.subarray((frame * bytes.length) / frames, ((frame + 1) * bytes.length) / frames));

/** A file with one encoded frame, for a toolkit to read. */
export function writeEncoded(path: string, transferSyntaxUid: string, module: PixelModule, frame: Uint8Array): void {
  const sopInstanceUid = '2.25.1';
  const dataset = new Dataset()
    .set('SOPClassUID', SECONDARY_CAPTURE).set('SOPInstanceUID', sopInstanceUid)
    .set('SamplesPerPixel', module.samplesPerPixel).set('PhotometricInterpretation', module.photometricInterpretation)
    .set('Rows', module.rows).set('Columns', module.columns)
    .set('BitsAllocated', module.bitsAllocated).set('BitsStored', module.bitsStored).set('HighBit', module.highBit)
    .set('PixelRepresentation', module.pixelRepresentation, 'US')
    .set('PixelData', new Fragments([frame]), 'OB');
  if (module.samplesPerPixel > 1) dataset.set('PlanarConfiguration', module.planarConfiguration);
  writeFileSync(path, Buffer.concat([part10Prefix({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid, transferSyntaxUid }), writeDataset(dataset, transferSyntaxUid)]));
}
