// Writes a synthetic object as a Part 10 file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { part10Prefix } from '@perennia/dicom-stream';
import type { SyntheticObject } from './synthetic-object.js';

export function part10Of(object: SyntheticObject): Buffer {
  return Buffer.concat([part10Prefix(object), object.dataset]);
}

/** @returns the path: `<SOP Instance UID>.dcm` in the folder */
export function writePart10(object: SyntheticObject, folder: string): string {
  const path = join(folder, `${object.sopInstanceUid}.dcm`);
  writeFileSync(path, part10Of(object));
  return path;
}
