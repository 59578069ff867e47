// Every file below a folder with its size, times and digest: what a refused start must leave as it was.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** @param except names directly below the folder that are left out */
export function folderSnapshot(folder: string, except: readonly string[] = []): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    const about = lstatSync(path, { bigint: true });
    const name = relative(folder, path);
    if (except.includes(name)) return;
    if (about.isDirectory()) {
      lines.push(`${name}/`);
      for (const entry of readdirSync(path).toSorted()) visit(join(path, entry));
    } else if (about.isFile()) {
      lines.push(`${name} ${about.size} ${about.mtimeNs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
    }
  };
  visit(folder);
  return lines;
}
