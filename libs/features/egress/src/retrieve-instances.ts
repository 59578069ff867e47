// Gives many whole instances back in few large reads: what lies end to end in a pack is read READ_BYTES at a time, what stands
// alone by itself; several reads at once, in order.
import { LANDING_TIER, type Place } from '@perennia/contracts';
import { disarmPreamble, PREAMBLE_BYTES } from '@perennia/dicom-stream';
import { CancelledError } from '@perennia/errors';
import type { PlaceReader } from '@perennia/storage';
import { orderedWindow } from './ordered-window.js';
import { READ_BYTES, type ReadInstance } from './read-instance.js';
import type { StoredCopy, StoredInstance } from './stored-instance.js';

/** Consecutive bytes of one instance. */
export interface InstancePiece {
  instance: StoredInstance;
  /** Where in the instance they begin; 0 begins a new one. */
  offset: number;
  bytes: Buffer;
}
interface PlannedPiece {
  instance: StoredInstance;
  /** What the read was planned for; the instance may be given another one meanwhile. */
  copy: StoredCopy;
  offset: number;
  length: number;
}
interface PlannedRead {
  place: Place;
  pieces: PlannedPiece[];
}

/** A rest up to this is read with what is before it: by itself it would cost as much as all the other. */
const REST_BYTES = 64 * 1024;
/** Reads begun ahead of the receiver: with READ_BYTES each, this bounds what a request holds. */
const WINDOW = 8;
/** Kept for the next request; more than that is given to the collector. */
const MAX_FREE_BUFFERS = 16;

export class RetrieveInstances {
  // Used again, because a megabyte of new memory for each read costs more in page faults and collections than the read.
  readonly #free: Buffer[] = [];

  constructor(
    private readonly readInstance: ReadInstance,
    private readonly places: PlaceReader,
  ) {}

  /**
   * Instances in the order given (best: as stored), each of its pieces in order, as they were received but for a preamble that is not
   * harmless. The bytes are valid until the next pieces are asked for.
   */
  async *pieces(instances: readonly StoredInstance[]): AsyncGenerator<InstancePiece[], void, void> {
    for await (const { pieces, memory } of orderedWindow(planReads(instances), WINDOW, (read) => this.#run(read))) {
      for (const { offset, bytes } of pieces) if (offset === 0) disarmPreamble(bytes);
      yield pieces;
      if (this.#free.length < MAX_FREE_BUFFERS) this.#free.push(memory);
    }
  }

  async #run({ place, pieces }: PlannedRead): Promise<{ pieces: InstancePiece[]; memory: Buffer }> {
    const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES + REST_BYTES);
    for (const { instance } of pieces) if (instance.copy.unproven) await this.readInstance.prove(instance);
    if (pieces.some(({ instance, copy }) => instance.copy !== copy)) return { pieces: await this.#singly(pieces), memory };
    let bytes: Buffer;
    try {
      bytes = await this.places.read(place, 0, place.length, memory);
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      // One of them moved or is bad: each by itself finds out which, and its other copies.
      return { pieces: await this.#singly(pieces), memory };
    }
    let at = 0;
    return { pieces: pieces.map(({ instance, offset, length }) => ({ instance, offset, bytes: bytes.subarray(at, (at += length)) })), memory };
  }

  async #singly(planned: readonly PlannedPiece[]): Promise<InstancePiece[]> {
    const pieces: InstancePiece[] = [];
    for (const { instance, offset, length } of planned) pieces.push({ instance, offset, bytes: await this.readInstance.read(instance, offset, length) });
    return pieces;
  }
}

/** Cut into reads of about READ_BYTES wherever instances begin or end. Lazily: a very large instance has thousands of reads. */
export function* planReads(instances: readonly StoredInstance[]): Generator<PlannedRead> {
  let open: PlannedRead | null = null;
  for (const instance of instances) {
    const { copy } = instance;
    const { place } = copy;
    for (let offset = 0; offset < place.length; ) {
      // A preamble is never cut, so that one look tells what it is.
      const room = READ_BYTES - (open?.place.length ?? 0);
      if (open && (room <= 0 || (offset === 0 && room < PREAMBLE_BYTES) || !continues(open.place, place, offset))) {
        yield open;
        open = null;
      }
      open ??= { place: { ...place, offset: place.offset + offset, length: 0 }, pieces: [] };
      const left = place.length - offset;
      const length = left <= READ_BYTES + REST_BYTES - open.place.length ? left : READ_BYTES - open.place.length;
      open.pieces.push({ instance, copy, offset, length });
      open.place.length += length;
      offset += length;
    }
  }
  if (open) yield open;
}

/** Records of the landing area have heads between them, and move: each is read by itself. */
function continues(open: Place, next: Place, offset: number): boolean {
  if (open.tier !== next.tier || open.key !== next.key || open.offset + open.length !== next.offset + offset) return false;
  return next.tier !== LANDING_TIER || offset > 0;
}
