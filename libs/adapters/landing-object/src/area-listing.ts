// What a start finds below an area: one listing, and the groups that have references are read.
import type { ObjectStore } from '@perennia/storage';
import type { HeldSegment, HeldSegments } from './held-segments.js';
import { decodeGroup } from './landing-group.js';
import type { LandingKeys } from './landing-keys.js';

/** Fills `held`; gives the large objects that the log does not refer to. */
export async function listArea(store: ObjectStore, keys: LandingKeys, held: HeldSegments): Promise<HeldSegment[]> {
  for await (const { key, sizeBytes } of store.list(keys.prefix)) {
    const group = keys.parseGroup(key);
    const large = keys.parseLarge(key);
    if (large !== undefined) held.add({ kind: 'big', generation: large, key: keys.largePlace(large), sealed: true, bytes: sizeBytes, groups: [] });
    if (!group) continue;
    const { generation } = group;
    const segment = held.find(generation) ?? { kind: 'seg', generation, key: keys.segmentPlace(generation), sealed: true, bytes: 0, groups: [] };
    // Names have their numbers padded: the listing is in the order of the log.
    segment.groups.push({ ...group, key, bytes: sizeBytes });
    segment.bytes += sizeBytes;
    held.add(segment);
  }
  const segments = held.all();
  for (const { groups } of segments) {
    for (const group of groups.filter(({ references }) => references > 0)) {
      for (const { record, reference } of decodeGroup(await store.read(group.key, 0, group.bytes), group.generation, group.offset, keys)) {
        const large = reference && held.find(reference.generation);
        if (large) large.referredAt = record.position;
      }
    }
  }
  return segments.filter(({ kind, referredAt }) => kind === 'big' && !referredAt);
}
