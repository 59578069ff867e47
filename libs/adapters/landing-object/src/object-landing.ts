// Landing on an object store: what is acknowledged survives the machine that received it. `open` takes an area over, whoever had it before;
// `adopt` does so to drain the area of an owner that will not come back.
import { IllegalStateError, InvalidInputError, NotFoundError } from '@perennia/errors';
import {
  encodeReference, Landing, recordBytes, type AppendBatch, type LandedRecord, type LandingPosition, type LandingState, type LandingStream, type ObjectStore, type SealedSegment,
} from '@perennia/storage';
import { SystemClock, type Clock } from '@perennia/telemetry';
import { listArea } from './area-listing.js';
import { GroupedPut } from './grouped-put.js';
import { HeldSegments, newSegment, type HeldSegment } from './held-segments.js';
import { largeGeneration, LandingKeys, segmentGeneration } from './landing-keys.js';
import { readLargeReceipt } from './large-object.js';
import { LargeObjectStream } from './large-object-stream.js';
import { LogChain } from './log-chain.js';
import { ENTRY_BYTES } from './log-entry.js';

export interface ObjectLandingOptions {
  store: ObjectStore;
  /** Name of this area: letters, digits, `.`, `_`, `-`; the first part of every place key. */
  owner: string;
  /** @default 64 MiB */
  segmentBytes?: number;
  /** Segments held at most; beyond it appends are refused. @default 256 */
  maxSegments?: number;
  /** Of one PUT; a single record may be larger. @default 8 MiB */
  maxGroupBytes?: number;
  clock?: Clock;
  /** Told when a large object could not be put into the log again; the next start tries again. */
  onUnreferred?: (generation: number, error: unknown) => void;
}

const MIB = 1024 * 1024;
/** The parts of large objects have memory of the store besides: both together may not grow by more than 64 MB while it hangs. */
const MOST_BYTES_IN_FLIGHT = 20 * MIB;
/** Large objects of an epoch are counted from here, times its number. */
const LARGE_AN_EPOCH = 2 ** 20;

export class ObjectLanding extends Landing {
  override readonly mostBytesInFlight = MOST_BYTES_IN_FLIGHT;
  private readonly log: GroupedPut;
  private readonly segmentBytes: number;
  private readonly maxSegments: number;
  private readonly streams = new Set<LargeObjectStream>();
  private larges: number;
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly options: ObjectLandingOptions,
    private readonly keys: LandingKeys,
    private readonly chain: LogChain,
    private readonly held: HeldSegments,
    private readonly draining: boolean,
  ) {
    super();
    this.segmentBytes = options.segmentBytes ?? 64 * MIB;
    this.maxSegments = options.maxSegments ?? 256;
    this.larges = chain.epoch * LARGE_AN_EPOCH;
    const { maxGroupBytes = 8 * MIB, clock = new SystemClock() } = options;
    this.log = new GroupedPut(options.store, keys, chain, held, { segmentBytes: this.segmentBytes, maxSegments: this.maxSegments, maxGroupBytes, clock });
  }

  /** @throws UnavailableError, ConflictError, CorruptDataError */
  static open(options: ObjectLandingOptions): Promise<ObjectLanding> {
    return ObjectLanding.start(options, false);
  }

  /** To publish, file and release what a dead owner left; nothing is appended. */
  static adopt(options: ObjectLandingOptions): Promise<ObjectLanding> {
    return ObjectLanding.start(options, true);
  }

  private static async start(options: ObjectLandingOptions, draining: boolean): Promise<ObjectLanding> {
    const keys = new LandingKeys(options.owner);
    const { chain, groups } = await LogChain.claim(options.store, keys);
    const held = new HeldSegments(options.store, keys);
    const unreferred = await listArea(options.store, keys, groups, held);
    const landing = new ObjectLanding(options, keys, chain, held, draining);
    for (const segment of unreferred) landing.referAgain(segment).catch((error: unknown) => options.onUnreferred?.(segment.generation, error));
    return landing;
  }

  async append(receipt: string, parts: readonly Uint8Array[], _headroom?: Buffer, batch?: AppendBatch): Promise<LandedRecord> {
    this.assertAppendable();
    const text = Buffer.from(receipt);
    const objectBytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (ENTRY_BYTES + recordBytes(objectBytes, text.length) > this.segmentBytes) {
      throw new InvalidInputError('The object is too large for a landing segment; it must be streamed.', { details: { objectBytes } });
    }
    return this.log.append({ kind: 'object', receipt: text, parts, objectBytes }, batch);
  }

  async openStream(expectedBytes?: number): Promise<LandingStream> {
    this.assertAppendable();
    const generation = largeGeneration(this.larges++);
    const writer = await this.options.store.create(this.keys.large(generation), expectedBytes);
    const stream = new LargeObjectStream(writer, {
      refer: (objectBytes, storedBytes, receipt) => this.refer(generation, objectBytes, storedBytes, receipt),
      ended: (ended) => this.streams.delete(ended),
    });
    this.streams.add(stream);
    return stream;
  }

  recordsAfter(after: LandingPosition | null, limit: number): Promise<LandedRecord[]> {
    return this.held.recordsAfter(after, limit);
  }

  whenDurable(signal: AbortSignal): Promise<void> {
    return this.held.whenDurable(signal);
  }

  sealedSegments(): SealedSegment[] {
    return this.held.sealedSegments();
  }

  seal(): Promise<void> {
    return this.log.seal();
  }

  /** Releasing what was released before is no error. @throws IllegalStateError for a segment in use, NotFoundError for an unknown one */
  async release(generation: number): Promise<void> {
    const segment = this.held.find(generation);
    if (!segment && this.isEarlier(generation)) return;
    if (!segment) throw new NotFoundError('There is no such landing segment.', { details: { generation } });
    if (!segment.sealed) throw new IllegalStateError('A landing segment in use cannot be released.', { details: { generation } });
    if (segment.kind === 'big') await this.options.store.delete(this.keys.large(generation));
    else await this.log.remove(segment.groups.map(({ number }) => number));
    this.held.remove(generation);
  }

  state(): LandingState {
    return { freeSegments: this.log.freeSegments, totalSegments: this.maxSegments, heldBytes: this.held.heldBytes };
  }

  close(): Promise<void> {
    this.closed ??= (async () => {
      await Promise.all([...this.streams].map((stream) => stream.abort()));
      await this.log.drained();
    })();
    return this.closed;
  }

  private async refer(generation: number, objectBytes: number, storedBytes: number, receipt: Buffer): Promise<LandedRecord> {
    const segment: HeldSegment = { ...newSegment('big', generation, this.keys.largePlace(generation)), sealed: true, bytes: storedBytes };
    this.held.add(segment);
    try {
      return await this.putReference(segment, objectBytes, receipt);
    } catch (error) {
      this.held.remove(generation);
      await this.options.store.delete(this.keys.large(generation)).catch(() => undefined);
      throw error;
    }
  }

  private async referAgain(segment: HeldSegment): Promise<void> {
    const { objectBytes, receipt } = await readLargeReceipt(this.options.store, this.keys.large(segment.generation));
    await this.putReference(segment, objectBytes, receipt);
  }

  private async putReference(segment: HeldSegment, objectBytes: number, receipt: Buffer): Promise<LandedRecord> {
    const reference = encodeReference({ generation: segment.generation, objectBytes });
    const record = await this.log.append({ kind: 'reference', receipt, parts: [reference], objectBytes: reference.length });
    segment.referredAt = record.position;
    return record;
  }

  private isEarlier(generation: number): boolean {
    return generation < (generation % 2 === 0 ? segmentGeneration(this.chain.next) : largeGeneration(this.larges));
  }

  private assertAppendable(): void {
    if (this.closed) throw new IllegalStateError('The landing area is closed.');
    if (this.draining) throw new IllegalStateError('An adopted landing area takes no objects.');
  }
}
