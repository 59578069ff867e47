// Reads a pack back from the device, past every cache that can be passed, and compares its bytes with their digests.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Receipt } from '@perennia/contracts';
import { CorruptDataError, InvalidInputError } from '@perennia/errors';
import type { ObjectStore } from './object-store.js';
import { decodePackFooter, PACK_FOOTER_BYTES, type PackEntry, type ReceiptHead } from './pack-format.js';
import type { WrittenPack } from './pack-writer.js';
import { readPackIndex } from './read-pack-index.js';

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

/** Filing: what stands on the device now is what was received, by the digests of the receipts; one read of all of it. @throws as `verifyPack` */
export async function verifyWrittenPack(store: ObjectStore, written: WrittenPack, signal?: AbortSignal): Promise<void> {
  const { key, sizeBytes } = written.info;
  const rest = await checkObjects(store, key, written.entries, (entry, at) => new ReceivedDatasetCheck(entry, written.prefixCrcs[at]!), signal, sizeBytes);
  const index = rest.subarray(0, -PACK_FOOTER_BYTES);
  const { indexSha256 } = decodePackFooter(rest.subarray(-PACK_FOOTER_BYTES), sizeBytes);
  if (indexSha256.equals(written.indexSha256) && createHash('sha256').update(index).digest().equals(indexSha256)) return;
  throw new CorruptDataError('The index of the pack is not the one that was written.', { details: { key } });
}

function uncached(signal: AbortSignal | undefined): { uncached: true; signal?: AbortSignal } {
  return signal ? { uncached: true, signal } : { uncached: true };
}

/** One stream over all objects: they stand end to end. @param endBytes up to where it goes; gives what comes behind the objects */
async function checkObjects<R extends Pick<Receipt, 'receiptId'>>(
  store: ObjectStore, key: string, entries: readonly PackEntry<R>[], checkOf: (entry: PackEntry<R>, at: number) => ObjectCheck, signal?: AbortSignal, endBytes?: number,
): Promise<Buffer> {
  const last = entries.at(-1);
  const dataBytes = last ? last.offset + last.length : 0;
  const damaged: string[] = [];
  const rest: Buffer[] = [];
  let current = 0;
  let check: ObjectCheck | undefined;
  let left = 0;
  for await (const data of bytesUpTo(store, key, endBytes ?? dataBytes, signal)) {
    let chunk = data;
    while (chunk.length > 0 && current < entries.length) {
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
    // The memory of a chunk is used again.
    if (chunk.length > 0) rest.push(Buffer.from(chunk));
  }
  if (damaged.length === 0 && current === entries.length) return Buffer.concat(rest);
  throw new CorruptDataError('Objects in the pack do not match their digests.', { details: { key, damaged } });
}

async function* bytesUpTo(store: ObjectStore, key: string, endBytes: number, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  try {
    yield* store.chunks(key, 0, endBytes, uncached(signal));
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new CorruptDataError('The pack is shorter than it was written.', { cause: error, details: { key } });
  }
}
