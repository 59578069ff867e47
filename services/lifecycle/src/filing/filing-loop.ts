// Keeps filing: some filers in parallel, each taking the next group of studies that is due. One look at a time for what is due, and one
// at what contradicts or repeats what is kept.
import { ArchiveError, PlaceMovedError } from '@perennia/errors';
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock, Logger, Metrics } from '@perennia/telemetry';
import type { DisposeDuplicates } from '../duplicates/dispose-duplicates.js';
import type { DueStudies } from './due-studies.js';
import type { FilingClaims } from './filing-claims.js';
import type { FileStudies } from './file-studies.js';
import type { LandingPressure, Pressure } from './landing-pressure.js';
import { loadConflicts } from './load-conflicts.js';
import { loadStudies, type StudyKey } from './load-studies.js';

const LOOK_EVERY_MS = 1000;
const LOOK_HURRIED_MS = 100;
const LONGEST_REST_MS = 10_000;
const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

export interface FilingLoopParts {
  imaging: ImagingDatabase;
  due: DueStudies;
  claims: FilingClaims;
  filing: FileStudies;
  duplicates: DisposeDuplicates;
  pressure: LandingPressure;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  filers: number;
}

export class FilingLoop {
  private readonly stopping = new AbortController();
  private readonly objects;
  private readonly failures;
  private readonly seconds;
  private running: Promise<unknown> | undefined;
  private looking: Promise<Pressure> | null = null;
  /** How many of the filers work at present. */
  private filers = 1;
  private restShare = 0;

  constructor(private readonly parts: FilingLoopParts) {
    this.objects = parts.metrics.counter('vna_filed_objects_total', 'Objects moved from the landing area to packs');
    this.failures = parts.metrics.counter('vna_filing_failures_total', 'Groups of studies that could not be filed and are tried again');
    this.seconds = parts.metrics.histogram('vna_filing_seconds', 'Duration of filing one group of studies', SECONDS);
  }

  start(): void {
    this.running ??= Promise.all([this.duplicatesLoop(), ...Array.from({ length: this.parts.filers }, (_, number) => this.filerLoop(number))]);
  }

  /** Resolves when the groups in hand are filed. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    this.parts.claims.close();
  }

  /** Files all that is due now. @returns how many objects were moved */
  async once(): Promise<number> {
    await this.look();
    let moved = 0;
    for (let group = this.parts.due.take(); group.length > 0; group = this.parts.due.take()) moved += await this.fileGroup(group);
    return moved + (await this.fileConflicts());
  }

  /** @param number 0 for the one that always works */
  private async filerLoop(number: number): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      let level: Pressure['level'] = 'calm';
      try {
        // Before each group: what the landing area holds changes while a long queue is worked through.
        ({ level } = await (this.looking ??= this.look().finally(() => (this.looking = null))));
        const group = number < this.filers ? this.parts.due.take() : [];
        if (group.length > 0) {
          const beganMs = this.parts.clock.monotonicMs();
          await this.fileGroup(group);
          await this.rest(this.parts.clock.monotonicMs() - beganMs);
          continue;
        }
      } catch (err) {
        this.parts.log.warn({ err }, 'Filing waits');
      }
      await this.parts.clock.sleep(level === 'calm' ? LOOK_EVERY_MS : LOOK_HURRIED_MS, signal);
    }
  }

  /** Leaves disk and processor to reception, as long as the landing area has room for what it brings. */
  private async rest(workedMs: number): Promise<void> {
    const restMs = Math.min(workedMs * this.restShare, LONGEST_REST_MS);
    if (restMs > 0) await this.parts.clock.sleep(restMs, this.stopping.signal);
  }

  private async duplicatesLoop(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.parts.duplicates.once();
        await this.fileConflicts();
      } catch (err) {
        this.parts.log.warn({ err }, 'Duplicates wait');
      }
      await this.parts.clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  private async look(): Promise<Pressure> {
    const pressure = await this.parts.pressure.look();
    this.filers = pressure.filers;
    this.restShare = pressure.rest;
    await this.parts.due.refill(pressure.settleMs);
    return pressure;
  }

  /** Of the group what no other process files. */
  private async fileGroup(group: readonly StudyKey[]): Promise<number> {
    const { due, claims, log } = this.parts;
    let claimed: StudyKey[] = [];
    try {
      claimed = await claims.claim(group);
      const others = group.filter((study) => !claimed.includes(study));
      if (others.length > 0) due.done(others);
      return claimed.length > 0 ? await this.fileClaimed(claimed) : 0;
    } catch (err) {
      due.failed(claimed.length > 0 ? claimed : group);
      this.failures.inc();
      // Somebody else has filed it meanwhile: nothing to tell.
      if (!(err instanceof PlaceMovedError)) log.warn({ err, studies: group.length }, 'Studies could not be filed and are tried again');
      if (!(err instanceof ArchiveError)) throw err;
      return 0;
    } finally {
      if (claimed.length > 0) await claims.release(claimed).catch((err: unknown) => log.debug({ err }, 'Claims on studies run out by themselves'));
    }
  }

  private async fileClaimed(group: readonly StudyKey[]): Promise<number> {
    const { imaging, due, filing } = this.parts;
    const end = this.seconds.startTimer();
    try {
      const moved = await filing.file(await loadStudies(imaging, group));
      this.objects.inc(moved);
      due.done(group);
      return moved;
    } finally {
      end();
    }
  }

  private async fileConflicts(): Promise<number> {
    let moved = 0;
    for (const study of await loadConflicts(this.parts.imaging)) moved += await this.parts.filing.file([study]);
    this.objects.inc(moved);
    return moved;
  }
}
