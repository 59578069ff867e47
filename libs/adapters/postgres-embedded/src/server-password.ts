// The password of the embedded server: random, made once, readable only by whom the archive runs as.
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The password kept in `folder`; made first where there is none. It is on the disk before the cluster that will know it. */
export function serverPassword(folder: string): string {
  const file = join(folder, 'password');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = randomBytes(24).toString('base64url');
  const half = `${file}.new`;
  const handle = openSync(half, 'w', 0o600);
  writeSync(handle, `${password}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(half, file);
  return password;
}
