// Gives many whole instances back in few large reads: what lies end to end in a pack is one read of up to READ_BYTES, what
// stands alone is read in an ordered window.
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { CancelledError } from '@perennia/errors';
import type { PlaceReader } from '@perennia/storage';
import { orderedWindow } from './ordered-window.js';
import { READ_BYTES, type ReadInstance } from './read-instance.js';
import type { StoredInstance } from './stored-instance.js';

/** Consecutive bytes of one instance. */
export interface InstancePiece {
  instance: StoredInstance;
  /** Where in the instance they begin; 0 begins a new one. */
  offset: number;
  bytes: Buffer;
}
interface PlannedPiece {
  instance: StoredInstance;
  offset: number;
  length: number;
}
interface PlannedRead {
  place: Place;
  pieces: PlannedPiece[];
}

/** Reads begun ahead of the receiver: with READ_BYTES each, this bounds what a request holds. */
const WINDOW = 3;

export class RetrieveInstances {
  constructor(
    private readonly readInstance: ReadInstance,
    private readonly places: PlaceReader,
  ) {}

  /** Instances in the order given (best: as stored), each of its pieces in order. */
  pieces(instances: readonly StoredInstance[]): AsyncGenerator<InstancePiece[], void, void> {
    return orderedWindow(planReads(instances), WINDOW, (read) => this.#run(read));
  }

  async #run({ place, pieces }: PlannedRead): Promise<InstancePiece[]> {
    if (pieces.length === 1) return [await this.#single(pieces[0]!)];
    let bytes: Buffer;
    try {
      bytes = await this.places.read(place, 0, place.length);
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      // One of them moved or is bad: each by itself finds out which, and its other copies.
      const singly: InstancePiece[] = [];
      for (const piece of pieces) singly.push(await this.#single(piece));
      return singly;
    }
    let at = 0;
    return pieces.map(({ instance, offset, length }) => ({ instance, offset, bytes: bytes.subarray(at, (at += length)) }));
  }

  async #single({ instance, offset, length }: PlannedPiece): Promise<InstancePiece> {
    return { instance, offset, bytes: await this.readInstance.read(instance, offset, length) };
  }
}

/** Lazily: a very large instance has thousands of reads. */
export function* planReads(instances: readonly StoredInstance[]): Generator<PlannedRead> {
  let gathered: PlannedRead | null = null;
  for (const instance of instances) {
    const { place } = instance.copy;
    if (gathered && continues(gathered, place)) {
      gathered.place = { ...gathered.place, length: gathered.place.length + place.length };
      gathered.pieces.push({ instance, offset: 0, length: place.length });
      continue;
    }
    if (gathered) yield gathered;
    gathered = null;
    if (place.length <= READ_BYTES) gathered = { place, pieces: [{ instance, offset: 0, length: place.length }] };
    else yield* cutInstance(instance);
  }
  if (gathered) yield gathered;
}

/** Records of the landing area have heads between them, and move: each is read by itself. */
function continues({ place }: PlannedRead, next: Place): boolean {
  return (
    next.tier !== LANDING_TIER && next.tier === place.tier && next.key === place.key && next.offset === place.offset + place.length && place.length + next.length <= READ_BYTES
  );
}

function* cutInstance(instance: StoredInstance): Generator<PlannedRead> {
  const { place } = instance.copy;
  for (let offset = 0; offset < place.length; offset += READ_BYTES) {
    yield { place, pieces: [{ instance, offset, length: Math.min(READ_BYTES, place.length - offset) }] };
  }
}
