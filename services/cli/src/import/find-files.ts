// The files of an import, found while they are sent: a folder is walked in a stable order, a DICOMDIR lists its own.
import type { Dirent } from 'node:fs';
import { open, readFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { readDicomdir } from '@perennia/dicom-stream';
import { ConfigurationError } from '@perennia/errors';

export interface FoundFile {
  path: string;
  sizeBytes: number;
  modifiedMs: number;
}
export type Skipped = { path: string; reason: 'not DICOM' | 'a DICOMDIR' | 'outside of the medium' | 'missing' };
export type Found = { file: FoundFile } | { skipped: Skipped };

const PREAMBLE_BYTES = 128;

/** @throws ConfigurationError when there is nothing at the path */
export async function* findFiles(path: string): AsyncGenerator<Found> {
  const start = resolve(path);
  const found = await stat(start).catch(() => undefined);
  if (!found) throw new ConfigurationError(`There is nothing at ${start}`, { remedy: 'Name a folder, a DICOM file or a DICOMDIR' });
  if (found.isDirectory()) yield* walk(start);
  else if (basename(start).toUpperCase() === 'DICOMDIR') yield* listedBy(start);
  else yield { file: { path: start, sizeBytes: found.size, modifiedMs: found.mtimeMs } };
}

async function* walk(folder: string): AsyncGenerator<Found> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted(byName)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield await look(path);
  }
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1);

async function look(path: string): Promise<Found> {
  if (basename(path).toUpperCase() === 'DICOMDIR') return { skipped: { path, reason: 'a DICOMDIR' } };
  const handle = await open(path);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(PREAMBLE_BYTES + 4), 0, PREAMBLE_BYTES + 4, 0);
    if (!looksLikeDicom(buffer.subarray(0, bytesRead))) return { skipped: { path, reason: 'not DICOM' } };
    const { size, mtimeMs } = await handle.stat();
    return { file: { path, sizeBytes: size, modifiedMs: mtimeMs } };
  } finally {
    await handle.close();
  }
}

/** A Part 10 file (PS3.10 §7.1), or a dataset without preamble whose first element is of group 0002 or 0008. */
function looksLikeDicom(start: Buffer): boolean {
  if (start.length >= PREAMBLE_BYTES + 4 && start.toString('latin1', PREAMBLE_BYTES, PREAMBLE_BYTES + 4) === 'DICM') return true;
  if (start.length < 8) return false;
  return [0x0002, 0x0008].includes(start.readUInt16LE(0)) && start.readUInt16LE(2) <= 0x0100;
}

/** File IDs come from the medium: whatever leads out of its folder is not followed. */
async function* listedBy(dicomdir: string): AsyncGenerator<Found> {
  const folder = dirname(dicomdir);
  for (const { fileId } of readDicomdir(await readFile(dicomdir)).entries) {
    const path = resolve(folder, ...fileId);
    if (!path.startsWith(`${folder}${sep}`)) {
      yield { skipped: { path, reason: 'outside of the medium' } };
      continue;
    }
    const found = await stat(path).catch(() => undefined);
    yield found?.isFile() ? { file: { path, sizeBytes: found.size, modifiedMs: found.mtimeMs } } : { skipped: { path, reason: 'missing' } };
  }
}
