// Copies of packs between tiers: read back and compared before anybody may rely on them.
import { AlreadyExistsError, ArchiveError, CorruptDataError } from '@perennia/errors';
import { PackWriter, packKey, packedReceipt, readPackIndex, verifyPack, verifyWrittenPack, type ObjectStore, type PackEntry } from '@perennia/storage';
import { v7 as uuidv7 } from 'uuid';

/** Where a good copy of an instance stands now. */
export interface PlacedCopy {
  id: string;
  key: string;
  offset: number;
  length: number;
  objectSha256: string;
}

/** A whole pack under the same key. One that a killed process left there is taken when it is good. @throws CorruptDataError; nothing of it stays then */
export async function copyPack(source: ObjectStore, key: string, target: ObjectStore): Promise<PlacedCopy[]> {
  await write(source, key, target);
  try {
    return (await verifyPack(target, key)).map((entry) => placed(entry, key, entry.offset));
  } catch (error) {
    if (error instanceof CorruptDataError) await target.delete(key);
    throw error;
  }
}

async function write(source: ObjectStore, key: string, target: ObjectStore): Promise<void> {
  const [from, there] = [await source.head(key), await target.head(key)];
  if (there) return;
  // A pack that is gone is as bad as one that has rotted.
  if (!from) throw new CorruptDataError('A pack is missing.', { details: { key } });
  const writer = await target.create(key, from.sizeBytes);
  try {
    for await (const chunk of source.chunks(key, 0, from.sizeBytes)) await writer.write(chunk);
    await writer.commit();
  } catch (error) {
    await writer.abort();
    if (!(error instanceof AlreadyExistsError)) throw error;
  }
}

/** Some instances of a pack, in a pack of their own. @throws CorruptDataError; nothing of it stays then */
export async function repack(source: ObjectStore, key: string, target: ObjectStore, ids: ReadonlySet<string>): Promise<PlacedCopy[]> {
  const entries = (await readPackIndex(source, key)).filter(({ receipt }) => ids.has(receipt.receiptId));
  const [first] = entries;
  if (!first) throw new CorruptDataError('A pack does not have the objects that the catalogue says.', { details: { key } });
  const newKey = packKey(first.receipt.tenantId, first.receipt.studyInstanceUid, uuidv7());
  const writer = new PackWriter(await target.create(newKey));
  try {
    for (const { receipt, offset, length } of entries) await writer.add(packedReceipt(receipt), source.chunks(key, offset, length));
    const written = await writer.commit();
    await verifyWrittenPack(target, written);
    return written.entries.map((entry, at) => placed(entries[at]!, newKey, entry.offset));
  } catch (error) {
    await writer.abort();
    if (error instanceof CorruptDataError) await target.delete(newKey);
    throw error;
  }
}

/** Receipt ids of the objects of a pack that are not what they were when it was written; of all in one that is gone. */
export async function damagedIn(store: ObjectStore, key: string): Promise<string[]> {
  try {
    await verifyPack(store, key);
    return [];
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.retriable) throw error;
    return (error.details['damaged'] as string[] | undefined) ?? [];
  }
}

const placed = ({ receipt, length, objectSha256 }: PackEntry, key: string, offset: number): PlacedCopy => ({ id: receipt.receiptId, key, offset, length, objectSha256 });
