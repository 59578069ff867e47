// Where datasets stand in the files below a folder, found by their bytes alone: whoever rots a disk asks no archive.
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SyntheticObject } from './synthetic-object.js';

export interface FoundDataset {
  path: string;
  offset: number;
  length: number;
}

/** Of the dataset, so much is compared where its UID is found: the same UID stands in File Meta Information and in receipts too. */
const COMPARED_BYTES = 120;

export class FoundDatasets {
  private readonly places = new Map<string, FoundDataset[]>();

  /** @param root with which all their SOP Instance UIDs begin */
  constructor(folder: string, objects: ReadonlyMap<string, SyntheticObject>, root: string) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { parentPath, name } of files) this.search(join(parentPath, name), objects, Buffer.from(root));
  }

  of(sopInstanceUid: string): readonly FoundDataset[] {
    return this.places.get(sopInstanceUid) ?? [];
  }

  private search(path: string, objects: ReadonlyMap<string, SyntheticObject>, root: Buffer): void {
    const content = readFileSync(path);
    for (let at = content.indexOf(root); at >= 0; at = content.indexOf(root, at + root.length)) {
      const uid = /^[0-9.]+/.exec(content.toString('latin1', at, at + 64))![0];
      const dataset = objects.get(uid)?.dataset;
      if (!dataset) continue;
      const offset = at - dataset.indexOf(uid);
      if (offset < 0 || dataset.compare(content, offset, offset + COMPARED_BYTES, 0, COMPARED_BYTES) !== 0) continue;
      this.places.set(uid, [...this.of(uid), { path, offset, length: dataset.length }]);
    }
  }
}

/** Flips one bit. */
export function flipBit({ path, offset, length }: FoundDataset, random: (below: number) => number): void {
  change(path, (file) => {
    const at = offset + random(length);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    writeSync(file, Buffer.from([byte[0]! ^ (1 << random(8))]), 0, 1, at);
  });
}

/** Each stands where the other was. They are of one length. */
export function swapDatasets(one: FoundDataset, other: FoundDataset): void {
  const [bytesOfOne, bytesOfOther] = [bytesAt(one), bytesAt(other)];
  change(one.path, (file) => writeSync(file, bytesOfOther, 0, one.length, one.offset));
  change(other.path, (file) => writeSync(file, bytesOfOne, 0, other.length, other.offset));
}

function bytesAt({ path, offset, length }: FoundDataset): Buffer {
  const bytes = Buffer.alloc(length);
  change(path, (file) => readSync(file, bytes, 0, length, offset));
  return bytes;
}
function change(path: string, work: (file: number) => void): void {
  const file = openSync(path, 'r+');
  work(file);
  closeSync(file);
}
