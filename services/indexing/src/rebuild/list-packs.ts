// All packs of a store in the order in which they were written: their ids are UUIDv7.
import type { ObjectStore } from '@perennia/storage';

/** Keys only, about 120 bytes of memory each. */
export async function listPacks(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('data/')) if (key.endsWith('.pack')) keys.push(key);
  return keys.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

function idOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
