// The instances of packs as their bytes tell them: every object is read, its digest verified, and its header parsed again with the
// parser of reception. From the index come only where objects begin, and who sent them when: that is not in their bytes.
import { createHash, type Hash } from 'node:crypto';
import { DicomParseError } from '@perennia/dicom-data';
import { HeaderTap, Part10Reader, type HeaderSummary } from '@perennia/dicom-stream';
import type { ObjectStore, PackEntry } from '@perennia/storage';
import { InstanceIds, type IncomingInstance } from '../incoming-instance.js';
import { readIndexOrReport, receivedOf, type NamedStore } from './pack-instances.js';
import type { RebuildReport } from './rebuild-index.js';

export async function* bareInstances({ tier, store }: NamedStore, keys: readonly string[], report: RebuildReport): AsyncGenerator<IncomingInstance> {
  const ids = new InstanceIds();
  for (const key of keys) {
    const entries = await readIndexOrReport(store, key, report);
    const told: IncomingInstance[] = [];
    for await (const { entry, object } of parsedObjects(store, key, entries ?? [])) {
      const summary = await object.summary(entry);
      const { receipt, objectSha256 } = entry;
      if (!summary) report.damagedReceipts.push(receipt.receiptId);
      // What is damaged stays as it was received in the catalogue: a good copy may come.
      told.push(ids.incoming(receivedOf(summary ? { ...entry, receipt: { ...receipt, ...summary } } : entry, tier, key), objectSha256));
    }
    yield* asReceived(told);
    report.packs += 1;
  }
}

/**
 * Packs are ordered by series; but where instances differ in what they say of their study, the first one received is believed. The
 * receipts' ids tell the time. Versions of one instance stay in the order of the pack.
 */
function asReceived(instances: readonly IncomingInstance[]): readonly IncomingInstance[] {
  const distinct = new Set(instances.map(({ receipt }) => receipt.sopInstanceUid));
  if (distinct.size < instances.length) return instances;
  return instances.toSorted((a, b) => (a.receipt.receiptId < b.receipt.receiptId ? -1 : 1));
}

async function* parsedObjects(store: ObjectStore, key: string, entries: readonly PackEntry[]): AsyncGenerator<{ entry: PackEntry; object: ParsedObject }> {
  const last = entries.at(-1);
  if (!last) return;
  let current = 0;
  let object = new ParsedObject(entries[0]!);
  let leftBytes = entries[0]!.length;
  // One stream over all objects: they stand end to end.
  for await (const data of store.chunks(key, 0, last.offset + last.length, { uncached: true })) {
    for (let chunk = data; chunk.length > 0; ) {
      const part = chunk.subarray(0, leftBytes);
      chunk = chunk.subarray(part.length);
      leftBytes -= part.length;
      await object.push(part);
      if (leftBytes > 0) continue;
      yield { entry: entries[current]!, object };
      current += 1;
      const next = entries[current];
      if (!next) return;
      object = new ParsedObject(next);
      leftBytes = next.length;
    }
  }
}

/** Digests and parses one object as it streams by. */
class ParsedObject {
  private readonly hash: Hash = createHash('sha256');
  private readonly part10 = new Part10Reader();
  private readonly issuer: string | null;
  private tap: HeaderTap | undefined;
  private failure: DicomParseError | undefined;

  constructor({ receipt }: PackEntry) {
    this.issuer = receipt.search.issuer;
  }

  async push(chunk: Buffer): Promise<void> {
    this.hash.update(chunk);
    if (!this.failure) await this.attempt(() => this.parse(chunk));
  }

  /** @returns null when the bytes are not those that were filed */
  async summary(entry: PackEntry): Promise<Partial<HeaderSummary> | null> {
    if (this.hash.digest('hex') !== entry.objectSha256) return null;
    const summary = this.failure ? undefined : await this.attempt(async () => this.tap?.end());
    if (!summary) return {};
    const { warnings: _warnings, ...told } = summary;
    return told;
  }

  private async parse(chunk: Buffer): Promise<void> {
    const dataset = this.part10.push(chunk);
    const { header } = this.part10;
    if (!header) return;
    this.tap ??= new HeaderTap({
      transferSyntaxUid: header.transferSyntaxUid, datasetOffset: header.datasetOffset, ...(this.issuer !== null && { defaultIssuer: this.issuer }),
    });
    await this.tap.push(dataset);
  }

  /** An object that was accepted once and cannot be parsed now keeps what its receipt says. */
  private async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DicomParseError)) throw error;
      this.failure = error;
      return undefined;
    }
  }
}
