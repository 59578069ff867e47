// Finds out what an area holds after any end of its last process (docs/formats/landing.md, Recovery). Promises: what was acknowledged is
// kept or, where the disk lost it, reported; what was torn is cut, durably, so that the next recovery decides the same.
import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { HEAD_BYTES, type LandingPosition } from '@perennia/storage';
import type { AreaState } from './area-state.js';
import type { ResolvedLandingOptions } from './landing-options.js';
import { isObjectWhole } from './object-digest.js';
import { Segment } from './segment.js';
import { type ScannedRecord, SegmentScan } from './segment-scan.js';
import { recoverStream, type RecoveredStream } from './stream-recovery.js';

export interface RecoveredArea {
  /** Sealed segments that are not released, oldest first. */
  held: Segment[];
  free: Segment[];
  streams: RecoveredStream[];
  /** Generations of stream files that a held record refers to, and where it does. */
  referenced: Map<number, LandingPosition>;
  lastSequence: number;
  highestGeneration: number;
  /** Records that were cut as torn. */
  tornRecords: number;
}

interface Candidate {
  segment: Segment;
  scan: SegmentScan;
  generation: number;
}

export class AreaRecovery {
  private readonly candidates: Candidate[] = [];
  private readonly area: RecoveredArea = {
    held: [], free: [], streams: [], referenced: new Map(), lastSequence: 0, highestGeneration: 0, tornRecords: 0,
  };

  constructor(
    private readonly options: ResolvedLandingOptions,
    private readonly state: AreaState,
  ) {}

  async run(): Promise<RecoveredArea> {
    for (const file of readdirSync(this.options.folder).toSorted()) {
      const path = join(this.options.folder, file);
      if (file.endsWith('.new') || file.endsWith('.open')) rmSync(path);
      else if (/^seg-\d{4,}$/.test(file)) this.classify(file, path);
      else if (/^stream-\d+$/.test(file)) this.findStream(file, path);
    }
    this.candidates.sort((a, b) => a.generation - b.generation);
    for (const at of this.candidates.keys()) {
      this.scan(at);
      // Large areas are read in a second or so; the process answers its health checks in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.cutTail();
    for (const candidate of this.candidates) this.keep(candidate);
    return this.area;
  }

  private classify(file: string, path: string): void {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    const sizeBytes = fstatSync(descriptor).size;
    const segment = new Segment('log', this.options.owner, file, descriptor);
    // Of another size, by another setting or because it was cut: used up, then discarded.
    segment.poisoned = sizeBytes !== this.options.segmentBytes;
    const scan = new SegmentScan(file, descriptor, sizeBytes);
    const first = scan.firstHead();
    const generation = first?.generation ?? (scan.beginsWithZeros() ? 0 : scan.highestGeneration());
    this.area.highestGeneration = Math.max(this.area.highestGeneration, generation);
    if (generation > 0 && !this.state.isReleased(file, generation)) {
      this.candidates.push({ segment, scan, generation });
    } else this.free(segment, path);
  }

  private free(segment: Segment, path: string): void {
    if (!segment.poisoned) return void this.area.free.push(segment);
    closeSync(segment.descriptor);
    rmSync(path);
  }

  private findStream(file: string, path: string): void {
    const generation = Number(file.slice('stream-'.length));
    this.area.highestGeneration = Math.max(this.area.highestGeneration, generation);
    if (this.state.isReleased(file, generation)) {
      rmSync(path);
      this.state.forget(file);
      return;
    }
    const stream = recoverStream(this.options.owner, file, path, generation);
    if (stream) this.area.streams.push(stream);
    else this.options.onDamage({ file, generation, offset: 0, what: 'the file of a large object is not whole' });
  }

  private scan(at: number): void {
    const { scan, generation, segment } = this.candidates[at]!;
    const previous = this.candidates[at - 1]?.scan.lastSequence ?? 0;
    if (!scan.firstHead()) scan.assume(generation, previous);
    scan.run();
    const next = this.candidates[at + 1]?.scan.firstHead();
    // A later generation that begins with these sequences shows that they were refused.
    if (next && next.sequence <= scan.lastSequence && scan.cutFrom(next.sequence)) this.area.tornRecords += 1;
    while (next?.sequence !== scan.lastSequence + 1 && scan.resume()) segment.damaged = true;
    for (const [offset] of scan.gaps) {
      this.options.onDamage({ file: segment.file, generation, offset, what: 'records that were durable cannot be read' });
    }
  }

  /** Hashes what nothing vouches for and cuts at the first record that is not whole. */
  private cutTail(): void {
    const durable = Math.max(0, ...this.candidates.map(({ scan }) => scan.durableSequence));
    for (const candidate of this.candidates) {
      if (this.options.verify === 'all') this.verifyAll(candidate);
      candidate.scan.prove(durable);
    }
    for (const { scan } of this.candidates) {
      const torn = scan.unproven.find((record) => !isObjectWhole(scan, record));
      if (torn) return this.cutFrom(torn.head.sequence);
    }
  }

  private cutFrom(sequence: number): void {
    for (const { scan, segment } of this.candidates) {
      const before = scan.unproven.length;
      if (!scan.cutFrom(sequence)) continue;
      this.area.tornRecords += before - scan.unproven.length;
      writeSync(segment.descriptor, Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, scan.endBytes);
      fdatasyncSync(segment.descriptor);
    }
  }

  private verifyAll({ scan, segment, generation }: Candidate): void {
    const check = (record: ScannedRecord): void => {
      if (record.head.sequence > scan.lastSequence || isObjectWhole(scan, record)) return;
      this.options.onDamage({ file: segment.file, generation, offset: record.offset, what: 'an object does not match its digest' });
    };
    const again = new SegmentScan(scan.file, segment.descriptor, scan.sizeBytes, check);
    if (!again.firstHead()) again.assume(generation, scan.firstSequence - 1);
    again.run();
    while (again.gaps.size < scan.gaps.size && again.resume()) continue;
  }

  private keep({ segment, scan, generation }: Candidate): void {
    if (scan.endBytes === 0) return this.free(segment, join(this.options.folder, segment.file));
    // Records of a killed process may stand in the page cache alone; nobody is told of them before they are durable.
    if (scan.unproven.length > 0) fdatasyncSync(segment.descriptor);
    segment.begin(generation);
    segment.endBytes = scan.endBytes;
    segment.durableBytes = scan.endBytes;
    segment.objects = scan.objects;
    segment.lastRecord = { generation, offset: scan.lastOffset };
    for (const [from, to] of scan.gaps) segment.gaps.set(from, to);
    segment.markSealed();
    this.area.held.push(segment);
    this.area.lastSequence = Math.max(this.area.lastSequence, scan.lastSequence);
    for (const [stream, position] of scan.references()) this.area.referenced.set(stream, position);
  }
}
