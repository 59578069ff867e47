// The instances of packs as their indexes tell them, read some packs ahead of the database.
import { ArchiveError } from '@perennia/errors';
import { readPackIndex, type ObjectStore, type PackEntry } from '@perennia/storage';
import { InstanceIds, type IncomingInstance } from '../incoming-instance.js';
import { incomingReceipt, type IncomingReceipt } from '../incoming-receipt.js';
import type { RebuildReport } from './rebuild-index.js';

const READ_AHEAD_PACKS = 2;

/** The store of a tier, with its name. */
export interface NamedStore {
  tier: string;
  store: ObjectStore;
}

export async function* packInstances({ tier, store }: NamedStore, keys: readonly string[], report: RebuildReport): AsyncGenerator<IncomingInstance> {
  const ids = new InstanceIds();
  const pending: { key: string; entries: Promise<PackEntry[] | null> }[] = [];
  for (let next = 0; next < keys.length || pending.length > 0; ) {
    while (pending.length < READ_AHEAD_PACKS && next < keys.length) {
      const key = keys[next++]!;
      pending.push({ key, entries: readIndexOrReport(store, key, report) });
    }
    const { key, entries } = pending.shift()!;
    for (const entry of (await entries) ?? []) yield ids.incoming(receivedOf(entry, tier, key), entry.objectSha256);
    report.packs += 1;
  }
}

/** An entry of a pack as if it came from the log. */
export function receivedOf(entry: PackEntry, tier: string, key: string): IncomingReceipt {
  return incomingReceipt({ ...entry.receipt, place: { tier, key, offset: entry.offset, length: entry.length } });
}

/** @returns null for a pack that cannot be believed. @throws what trying again may change */
export async function readIndexOrReport(store: ObjectStore, key: string, report: RebuildReport): Promise<PackEntry[] | null> {
  try {
    return await readPackIndex(store, key);
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.retriable) throw error;
    report.damagedPacks.push(key);
    return null;
  }
}
