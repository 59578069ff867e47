// What a start finds in an area: the groups of the log, one head read for each segment, and the large objects.
import { NotFoundError } from '@perennia/errors';
import type { ObjectStore } from '@perennia/storage';
import { newSegment, type HeldGroup, type HeldSegment, type HeldSegments } from './held-segments.js';
import { decodeGroup } from './landing-group.js';
import { offsetOf, segmentGeneration, type LandingKeys } from './landing-keys.js';
import type { ListedEntry } from './log-chain.js';
import { readEntry, type EntryHead } from './log-entry.js';

/** @param groups in order; fills `held`; gives the large objects that the log does not refer to */
export async function listArea(store: ObjectStore, keys: LandingKeys, groups: readonly ListedEntry[], held: HeldSegments): Promise<HeldSegment[]> {
  for await (const { key, sizeBytes } of store.list(`${keys.prefix}big@`)) {
    const generation = keys.parseLarge(key);
    if (generation !== undefined) held.add({ ...newSegment('big', generation, keys.largePlace(generation)), sealed: true, bytes: sizeBytes });
  }
  for (let end = groups.length; end > 0; ) {
    const last = await readEntry(store, keys, groups[end - 1]!.number).catch(unlessReleased);
    if (!last) {
      end -= 1;
      continue;
    }
    const begin = groups.findIndex(({ number }) => number >= last.firstNumber);
    const segment = segmentOf(keys, last, groups.slice(begin, end));
    held.add(segment);
    if (last.references + last.referencesBefore > 0 && held.all().some(isUnreferred)) await noteReferences(store, keys, segment, held);
    end = begin;
  }
  return held.all().filter(isUnreferred);
}

function segmentOf(keys: LandingKeys, last: EntryHead, entries: readonly ListedEntry[]): HeldSegment {
  const generation = segmentGeneration(last.firstNumber);
  const groups: HeldGroup[] = entries.map(({ number, sizeBytes }) => ({ number, generation, key: keys.log(number), bytes: sizeBytes }));
  return {
    ...newSegment('seg', generation, keys.segmentPlace(generation)), sealed: true, groups, bytes: groups.reduce((sum, { bytes }) => sum + bytes, 0),
    objects: last.objectsBefore + last.objects, references: last.referencesBefore + last.references,
    lastRecord: { generation, offset: offsetOf(generation, last.number) + last.lastAt },
  };
}

/**
 * Each head counts the references of its segment before it: halves without any are not read. A segment may have a thousand groups, and few of
 * them refer to a large object.
 */
async function noteReferences(store: ObjectStore, keys: LandingKeys, { groups, generation, references }: HeldSegment, held: HeldSegments): Promise<void> {
  const note = async ({ number, key, bytes }: HeldGroup): Promise<void> => {
    for (const { record, reference } of decodeGroup(await store.read(key, 0, bytes), generation, number, keys)) {
      const large = reference && held.find(reference.generation);
      if (large) large.referredAt = record.position;
    }
  };
  /** Of the groups from `begin` up to `end`, before which there are so many. */
  const noteWithin = async (begin: number, end: number, before: number, until: number): Promise<void> => {
    if (before === until || begin === end) return;
    const middle = Math.floor((begin + end) / 2);
    const head = await readEntry(store, keys, groups[middle]!.number).catch(unlessReleased);
    // Gone: what is beside it is looked for one by one.
    const [first, then] = head ? [head.referencesBefore, head.referencesBefore + head.references] : [until, before];
    await Promise.all([
      noteWithin(begin, middle, before, first), head?.references ? note(groups[middle]!) : undefined, noteWithin(middle + 1, end, then, until),
    ]);
  };
  await noteWithin(0, groups.length, 0, references);
}

const isUnreferred = ({ kind, referredAt }: HeldSegment): boolean => kind === 'big' && !referredAt;

/** Whoever had the area before us was removing it. */
function unlessReleased(error: unknown): undefined {
  if (error instanceof NotFoundError) return undefined;
  throw error;
}
