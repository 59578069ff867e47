// The data folder says which format its files have, so that an older release refuses a folder whose files it would misread. Raised when
// a release writes files that earlier ones cannot read; such a release brings a migration of the database too, because releases from before
// this file refuse by that alone (docs/adr/0018-upgrades.md).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '@perennia/errors';
import { writeDurably } from './write-durably.js';

/** What this release writes; it reads every one from 1 on. 1: landing records 1, packs 1. */
export const DATA_FORMAT = 1;
const FILE = 'format.json';

interface DataFormat {
  format: number;
  /** The release that first wrote in this format here. */
  release: string;
}

export const thisRelease = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** Changes nothing. @throws ConfigurationError when a newer release has made the folder what it is */
export function assertKnownFormat(path: string): void {
  const found = readFormat(path);
  if (found === undefined || found.format <= DATA_FORMAT) return;
  throw new ConfigurationError(
    `The data folder ${path} has format ${found.format}, made by release ${found.release}; this release (${thisRelease}) knows formats up to ${DATA_FORMAT}`,
    { remedy: `Start release ${found.release} or a newer one, or restore the backup of database and data folder from before the upgrade` },
  );
}

/** Before the first file of this release is written, after the database was migrated: what failed before leaves the folder as it was. */
export function markFormat(path: string): void {
  if (readFormat(path)?.format === DATA_FORMAT) return;
  writeDurably(join(path, FILE), `${JSON.stringify({ format: DATA_FORMAT, release: thisRelease } satisfies DataFormat)}\n`);
}

/** `undefined`: a new folder, or one of a release that had no such file, which is format 1. */
function readFormat(path: string): DataFormat | undefined {
  const file = join(path, FILE);
  try {
    const { format, release } = JSON.parse(readFileSync(file, 'utf8')) as Partial<DataFormat>;
    if (typeof format === 'number' && Number.isInteger(format) && format > 0 && typeof release === 'string') return { format, release };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code !== undefined) throw new ConfigurationError(`The file ${file} cannot be read (${code})`, { cause: error, remedy: 'Give this user the right to read the data folder' });
  }
  throw new ConfigurationError(`The file ${file} does not say which format the data folder has`, {
    remedy: 'Restore this file from a backup; the archive replaces it as a whole and never leaves a part of it',
  });
}
