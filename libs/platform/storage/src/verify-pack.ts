// Reads a pack back from the device, past every cache that can be passed, and compares its bytes with their digests.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Receipt } from '@perennia/contracts';
import { CorruptDataError } from '@perennia/errors';
import type { ObjectStore } from './object-store.js';
import type { PackEntry, ReceiptHead } from './pack-format.js';
import type { WrittenPack } from './pack-writer.js';
import { readPackIndex, readRawPackIndex } from './read-pack-index.js';

/** Digests one object from its chunks and says whether it is what it should be. */
interface ObjectCheck {
  update(chunk: Buffer): void;
  matches(): boolean;
}

class WholeObjectCheck implements ObjectCheck {
  private readonly hash = createHash('sha256');
  constructor(private readonly entry: PackEntry) {}
  update(chunk: Buffer): void {
    this.hash.update(chunk);
  }
  matches(): boolean {
    return this.hash.digest('hex') === this.entry.objectSha256;
  }
}

class ReceivedDatasetCheck implements ObjectCheck {
  private readonly hash = createHash('sha256');
  private prefixLeft: number;
  private prefixCrc = 0;
  constructor(
    private readonly entry: PackEntry<ReceiptHead>,
    private readonly expectedPrefixCrc: number,
  ) {
    this.prefixLeft = entry.datasetOffset;
  }
  update(chunk: Buffer): void {
    const prefix = chunk.subarray(0, this.prefixLeft);
    this.prefixLeft -= prefix.length;
    if (prefix.length > 0) this.prefixCrc = crc32(prefix, this.prefixCrc);
    this.hash.update(chunk.subarray(prefix.length));
  }
  matches(): boolean {
    return this.prefixCrc === this.expectedPrefixCrc && this.hash.digest('hex') === this.entry.receipt.datasetSha256;
  }
}

/** Scrub: every object against its objectSha256. @returns the index. @throws CorruptDataError, details.damaged = receipt ids */
export async function verifyPack(store: ObjectStore, key: string, signal?: AbortSignal): Promise<PackEntry[]> {
  const entries = await readPackIndex(store, key, uncached(signal));
  await checkObjects(store, key, entries, (entry) => new WholeObjectCheck(entry), signal);
  return entries;
}

/** Filing: what stands on the device now is what was received, by the digests of the receipts. @throws as `verifyPack` */
export async function verifyWrittenPack(store: ObjectStore, written: WrittenPack, signal?: AbortSignal): Promise<void> {
  const { key } = written.info;
  const { footer } = await readRawPackIndex(store, key, uncached(signal));
  if (!footer.indexSha256.equals(written.indexSha256)) throw new CorruptDataError('The index of the pack is not the one that was written.', { details: { key } });
  await checkObjects(store, key, written.entries, (entry, at) => new ReceivedDatasetCheck(entry, written.prefixCrcs[at]!), signal);
}

function uncached(signal: AbortSignal | undefined): { uncached: true; signal?: AbortSignal } {
  return signal ? { uncached: true, signal } : { uncached: true };
}

/** One stream over all objects: they stand end to end. */
async function checkObjects<R extends Pick<Receipt, 'receiptId'>>(
  store: ObjectStore, key: string, entries: readonly PackEntry<R>[], checkOf: (entry: PackEntry<R>, at: number) => ObjectCheck, signal?: AbortSignal,
): Promise<void> {
  const last = entries.at(-1);
  const dataBytes = last ? last.offset + last.length : 0;
  const damaged: string[] = [];
  let current = 0;
  let check: ObjectCheck | undefined;
  let left = 0;
  for await (const data of store.chunks(key, 0, dataBytes, uncached(signal))) {
    let chunk = data;
    while (chunk.length > 0) {
      if (!check) {
        check = checkOf(entries[current]!, current);
        left = entries[current]!.length;
      }
      const part = chunk.subarray(0, left);
      check.update(part);
      left -= part.length;
      chunk = chunk.subarray(part.length);
      if (left > 0) continue;
      if (!check.matches()) damaged.push(entries[current]!.receipt.receiptId);
      check = undefined;
      current += 1;
    }
  }
  if (damaged.length === 0 && current === entries.length) return;
  throw new CorruptDataError('Objects in the pack do not match their digests.', { details: { key, damaged } });
}
