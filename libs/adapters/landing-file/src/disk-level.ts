// How full the disk of a landing area is, looked at once a second: no append waits for the answer. Objects are refused while there is
// still room for the database and for what is being filed, which may live on the same disk.
import { StoreFullError } from '@perennia/errors';
import { type Clock, Watch } from '@perennia/telemetry';
import type { LandingDisk } from './landing-disk.js';

/** `low`: somebody should look; `full`: nothing is taken. */
export type DiskLevelName = 'ample' | 'low' | 'full';

export interface DiskLevelOptions {
  folder: string;
  disk: LandingDisk;
  clock: Clock;
  /** Per cent of the disk in use; 100: never. */
  warnAtPercent: number;
  /** 100: never. */
  stopAtPercent: number;
  onDiskLevel: (level: DiskLevelName, usedPercent: number) => void;
}

const LOOK_EVERY_MS = 1000;
/** Below a bound by so much it is left again: a disk at its bound is no news every second. */
const LEAVE_PERCENT = 1;

export class DiskLevel {
  private level: DiskLevelName = 'ample';
  private usedPercent = 0;
  private readonly watch: Watch;

  constructor(private readonly options: DiskLevelOptions) {
    this.watch = new Watch(options.clock, () => this.look(), LOOK_EVERY_MS);
  }

  /** Has looked once when it resolves; where there are no bounds nobody looks. */
  async start(): Promise<void> {
    const { warnAtPercent, stopAtPercent } = this.options;
    if (Math.min(warnAtPercent, stopAtPercent) >= 100) return;
    await this.look();
    this.watch.start();
  }

  stop(): Promise<void> {
    return this.watch.stop();
  }

  /** @throws StoreFullError while the disk is full */
  assertRoom(): void {
    if (this.level !== 'full') return;
    throw new StoreFullError(`The disk is ${Math.floor(this.usedPercent)} % full.`, {
      details: { usedPercent: this.usedPercent, stopAtPercent: this.options.stopAtPercent },
      remedy: `Free space on the disk; below ${this.options.stopAtPercent - LEAVE_PERCENT} % objects are taken again.`,
    });
  }

  private async look(): Promise<void> {
    const { folder, disk } = this.options;
    this.usedPercent = 100 * (await disk.usedShare(folder));
    const level = this.levelNow();
    if (level === this.level) return;
    this.level = level;
    this.options.onDiskLevel(level, this.usedPercent);
  }

  private levelNow(): DiskLevelName {
    const { warnAtPercent, stopAtPercent } = this.options;
    if (stopAtPercent < 100 && this.reaches(stopAtPercent, this.level === 'full')) return 'full';
    return warnAtPercent < 100 && this.reaches(warnAtPercent, this.level !== 'ample') ? 'low' : 'ample';
  }

  private reaches(percent: number, isReached: boolean): boolean {
    return this.usedPercent >= percent - (isReached ? LEAVE_PERCENT : 0);
  }
}
