// Where the object of a key stands: `<root>/<area>/<bucket>/<flat name>`. The fan-out is made ready once, so that creating an object
// never creates a folder. Keys of `data/` carry their bucket; other keys are spread by their hash.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BUCKETS } from '@perennia/contracts';
import { assertObjectKey, bucketName } from '@perennia/storage';

export const AREAS = ['data', 'work'] as const;
export type Area = (typeof AREAS)[number];

/** Stands for `/` in flat names; not in the alphabet of keys. */
const SLASH = '~';
const TEMPORARY = '.new-';

export const bucketNames: readonly string[] = Array.from({ length: BUCKETS }, (_, bucket) => bucketName(bucket));

export interface ObjectPath {
  folder: string;
  file: string;
}

/** @throws InvalidInputError for a key that is not one of ours; so nothing outside the root can be named */
export function objectPath(root: string, key: string): ObjectPath {
  assertObjectKey(key);
  const [area, ...rest] = key.split('/') as [Area, ...string[]];
  const bucket = area === 'data' ? rest.shift()! : bucketName(createHash('sha256').update(key).digest().readUInt16BE(0) >> 6);
  const folder = join(root, area, bucket);
  return { folder, file: join(folder, rest.join(SLASH)) };
}

/** The key of a flat name, or undefined for a file that is not an object. */
export function keyOfFile(area: Area, bucket: string, name: string): string | undefined {
  if (name.startsWith('.')) return undefined;
  const rest = name.replaceAll(SLASH, '/');
  return area === 'data' ? `data/${bucket}/${rest}` : `work/${rest}`;
}

export function temporaryName(process: string, unique: string): string {
  return `${TEMPORARY}${process}-${unique}`;
}

/** Identity of the process that writes a temporary file, or undefined for other files. */
export function writerOfTemporary(name: string): string | undefined {
  return name.startsWith(TEMPORARY) ? name.slice(TEMPORARY.length).split('-')[0] : undefined;
}
