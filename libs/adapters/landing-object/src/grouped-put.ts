// The way into the log: one PUT at a time, and whoever waits meanwhile goes together into the next one. Acknowledged in the order of the log,
// when the store has shown the digest.
import { AlreadyExistsError, StoreFullError } from '@perennia/errors';
import { mutant } from '@perennia/fault-points';
import { recordBytes, type AppendBatch, type LandedRecord, type ObjectStore } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import { GroupPatience } from './group-patience.js';
import { newSegment, type HeldSegment, type HeldSegments } from './held-segments.js';
import { decodeGroup, encodeRecord, recordAt, type NewRecord } from './landing-group.js';
import { offsetOf, segmentGeneration, type LandingKeys } from './landing-keys.js';
import type { LogChain } from './log-chain.js';
import { encodeEntry, ENTRY_BYTES, type EntryHead } from './log-entry.js';

/** So many groups of a segment are removed by few requests, and their count fits into an offset. */
const MAX_GROUPS = 4096;
/** Sequences of a group begin here, times its number. */
const SEQUENCES_A_GROUP = 2 ** 20;

export interface GroupedPutOptions {
  segmentBytes: number;
  maxSegments: number;
  maxGroupBytes: number;
  clock: Clock;
}

interface Pending extends NewRecord {
  bytes: number;
  batch: AppendBatch | undefined;
  resolve: (record: LandedRecord) => void;
  reject: (error: unknown) => void;
}

export class GroupedPut {
  private readonly waiting: Pending[] = [];
  private readonly patience = new GroupPatience();
  private running: Promise<void> | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private current: HeldSegment | undefined;
  /** In the log, but not read yet: heads of later groups count its records. */
  private unread: EntryHead | undefined;

  constructor(
    private readonly store: ObjectStore,
    private readonly keys: LandingKeys,
    private readonly chain: LogChain,
    private readonly held: HeldSegments,
    private readonly options: GroupedPutOptions,
  ) {}

  get freeSegments(): number {
    return Math.max(0, this.options.maxSegments - this.held.segments);
  }

  async append(record: NewRecord, batch?: AppendBatch): Promise<LandedRecord> {
    this.chain.assertOwned();
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...record, bytes: recordBytes(record.objectBytes, record.receipt.length), batch, resolve, reject });
      this.patience.arrived();
      this.running ??= this.run();
    });
  }

  /** Everything that was appended is acknowledged or refused. */
  async drained(): Promise<void> {
    while (this.running) await this.running;
  }

  /** @throws UnavailableError when it cannot be told yet what belongs to the segment */
  async seal(): Promise<void> {
    await this.drained();
    await this.exclusively(async () => {
      await this.settle();
      this.sealCurrent();
    });
  }

  /** Removes groups of a sealed segment, and marks that nobody needs. */
  async remove(numbers: readonly number[]): Promise<void> {
    const highest = Math.max(...numbers);
    await this.exclusively(() => this.chain.ensureFollowed(highest));
    await this.store.deleteAll([...numbers, ...this.chain.takeMarks()].map((number) => this.keys.log(number)));
  }

  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async run(): Promise<void> {
    // What is appended in the same turn goes together.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      if (!mutant('one-put-per-object')) await this.patience.forMore(this.waiting, () => this.options.clock.monotonicMs());
      await this.exclusively(() => this.putNext());
    }
    // At once: who appends from now on starts anew.
    this.running = undefined;
  }

  private async putNext(): Promise<void> {
    let group: Pending[] = [];
    try {
      await this.settle();
      const segment = this.segmentFor(this.waiting[0]!.bytes);
      group = this.takeGroup(this.options.segmentBytes - segment.bytes);
      await this.put(segment, group);
    } catch (error) {
      const told = await this.afterFailure(error);
      // Without a segment, or without the area, nobody who waits has a chance.
      const refused = group.length === 0 || !this.chain.owned ? [...group, ...this.waiting.splice(0)] : group;
      for (const { reject } of refused) reject(told);
    }
  }

  private async put(segment: HeldSegment, records: readonly Pending[]): Promise<void> {
    const startedMs = this.options.clock.monotonicMs();
    const number = this.chain.next;
    const { generation } = segment;
    const base = offsetOf(generation, number);
    const landed: LandedRecord[] = [];
    let bytes = ENTRY_BYTES;
    for (const record of records) {
      landed.push(recordAt(record, generation, base + bytes, this.keys));
      bytes += record.bytes;
    }
    const objects = records.filter(({ kind }) => kind === 'object').length;
    const head = {
      kind: 'group', epoch: this.chain.epoch, number, firstNumber: generation / 2, objects, references: records.length - objects, objectsBefore: segment.objects,
      referencesBefore: segment.references, lastAt: landed.at(-1)!.position.offset - base,
    } as const;
    await this.send(head, bytes, records);
    this.chain.created(number);
    this.held.landed(segment, { number, generation, key: this.keys.log(number), bytes }, landed);
    for (const [at, { resolve }] of records.entries()) resolve(landed[at]!);
    this.patience.learn(records, this.waiting, this.options.clock.monotonicMs() - startedMs);
  }

  private async send(head: EntryHead, bytes: number, records: readonly Pending[]): Promise<void> {
    let writer;
    try {
      writer = await this.store.create(this.keys.log(head.number), bytes);
      await writer.write(encodeEntry(head));
      const generation = segmentGeneration(head.firstNumber);
      for (const [at, record] of records.entries()) for (const part of encodeRecord(record, generation, head.number * SEQUENCES_A_GROUP + at)) await writer.write(part);
      await writer.commit();
    } catch (error) {
      this.chain.failed();
      await writer?.abort();
      throw error;
    }
  }

  /** Taken by somebody else: only the next number tells by whom. */
  private async afterFailure(error: unknown): Promise<unknown> {
    if (!(error instanceof AlreadyExistsError)) return error;
    return this.settle().then(() => error, (found: unknown) => found);
  }

  /** What a PUT that failed has put into the log all the same belongs to it: not acknowledged, but there. */
  private async settle(): Promise<void> {
    const found = (this.unread ??= await this.chain.settle());
    if (!found) return;
    const key = this.keys.log(found.number);
    const info = await this.store.head(key);
    const generation = segmentGeneration(found.firstNumber);
    const segment = this.held.find(generation);
    this.unread = info && segment ? found : undefined;
    if (!info || !segment) return;
    const records = decodeGroup(await this.store.read(key, 0, info.sizeBytes), generation, found.number, this.keys).map(({ record }) => record);
    this.held.landed(segment, { number: found.number, generation, key, bytes: info.sizeBytes }, records);
    this.unread = undefined;
  }

  /** @throws StoreFullError when no segment is free */
  private segmentFor(bytes: number): HeldSegment {
    const isFull = this.current && (this.current.bytes + ENTRY_BYTES + bytes > this.options.segmentBytes || this.chain.next - this.current.generation / 2 >= MAX_GROUPS);
    if (isFull) this.sealCurrent();
    if (this.current) return this.current;
    if (this.freeSegments === 0) throw new StoreFullError('The landing area is full.', { remedy: 'It goes on by itself when objects have been filed.' });
    const generation = segmentGeneration(this.chain.next);
    this.current = newSegment('seg', generation, this.keys.segmentPlace(generation));
    this.held.add(this.current);
    return this.current;
  }

  private takeGroup(roomBytes: number): Pending[] {
    const limit = mutant('one-put-per-object') ? 0 : Math.min(roomBytes, this.options.maxGroupBytes) - ENTRY_BYTES;
    let count = 0;
    for (let bytes = 0; count < this.waiting.length; count++) {
      bytes += this.waiting[count]!.bytes;
      if (count > 0 && bytes > limit) break;
    }
    return this.waiting.splice(0, count);
  }

  private sealCurrent(): void {
    const segment = this.current;
    this.current = undefined;
    if (!segment) return;
    segment.sealed = true;
    if (segment.groups.length === 0) this.held.remove(segment.generation);
  }
}
