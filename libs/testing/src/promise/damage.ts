// Rot on the disk: flips bytes of one object inside whatever pack holds it.
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile() && statSync(path).size > 0) yield path;
  }
}

/** @returns how many copies of the bytes were found and damaged below the folder */
export function damageBytes(folder: string, bytes: Buffer): number {
  let damaged = 0;
  for (const path of files(folder)) {
    const content = readFileSync(path);
    for (let at = content.indexOf(bytes); at >= 0; at = content.indexOf(bytes, at + bytes.length)) {
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.from([content[at + 10]! ^ 0xff]), 0, 1, at + bytes.length - 100);
      closeSync(file);
      damaged += 1;
    }
  }
  return damaged;
}

/** Whether any file below the folder holds the bytes. */
export function holdsBytes(folder: string, bytes: Buffer): boolean {
  for (const path of files(folder)) if (readFileSync(path).includes(bytes)) return true;
  return false;
}
