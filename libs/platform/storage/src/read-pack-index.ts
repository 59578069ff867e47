// Reads the index of a pack and proves it by the digest in the footer. An index is at most about PACK_INDEX_SPLIT_BYTES long.
import { createHash } from 'node:crypto';
import { CorruptDataError, NotFoundError } from '@perennia/errors';
import type { ObjectStore, ReadOptions } from './object-store.js';
import { PACK_FOOTER_BYTES, decodePackFooter, type PackEntry, type PackFooter } from './pack-format.js';

const NEWLINE = 0x0a;

/** The proven bytes of an index and the footer that proves them. @throws NotFoundError, CorruptDataError */
export async function readRawPackIndex(store: ObjectStore, key: string, options: ReadOptions): Promise<{ footer: PackFooter; index: Buffer }> {
  const info = await store.head(key);
  if (!info) throw new NotFoundError('The pack does not exist.', { details: { key } });
  if (info.sizeBytes < PACK_FOOTER_BYTES) throw new CorruptDataError('The file is too short to be a pack.', { details: { key } });
  const footer = decodePackFooter(await store.read(key, info.sizeBytes - PACK_FOOTER_BYTES, PACK_FOOTER_BYTES, options), info.sizeBytes);
  const index = await store.read(key, footer.indexOffset, footer.indexBytes, options);
  if (!createHash('sha256').update(index).digest().equals(footer.indexSha256)) {
    throw new CorruptDataError('The index of the pack does not match its digest.', { details: { key } });
  }
  return { footer, index };
}

/** Entries in the order of the pack. @throws NotFoundError, CorruptDataError */
export async function readPackIndex(store: ObjectStore, key: string, options: ReadOptions = {}): Promise<PackEntry[]> {
  const { footer, index } = await readRawPackIndex(store, key, options);
  const entries: PackEntry[] = [];
  for (let at = 0; at < index.length; ) {
    const end = index.indexOf(NEWLINE, at);
    entries.push(JSON.parse(index.toString('utf8', at, end)) as PackEntry);
    at = end + 1;
  }
  if (entries.length !== footer.instances) {
    throw new CorruptDataError('The index of the pack has another number of lines than its footer says.', { details: { key } });
  }
  return entries;
}
