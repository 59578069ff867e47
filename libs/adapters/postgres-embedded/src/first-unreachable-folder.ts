// Tells up front whether a user id can reach a path, so that a start fails with the name of the folder that is in the way
// instead of with "Permission denied" from a program.
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAY_ENTER = 1;

/** The outermost folder on the way to `path` (itself included, where it exists) that `uid` and `gid` may not enter, or null. */
export function firstUnreachableFolder(path: string, uid: number, gid: number): string | null {
  const folders: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    folders.unshift(at);
    if (at === dirname(at)) break;
  }
  return folders.find((folder) => existsSync(folder) && !mayEnter(folder, uid, gid)) ?? null;
}

function mayEnter(folder: string, uid: number, gid: number): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  const shift = owner === uid ? 6 : group === gid ? 3 : 0;
  return ((mode >> shift) & MAY_ENTER) !== 0;
}
