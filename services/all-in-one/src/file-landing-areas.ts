// Landing areas on this machine's disk: `<data>/landing/<owner>`, opened with the settings of the section `landing`.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EffectiveConfig } from '@perennia/config';
import { type DiskLevelName, FileLanding, LandingFileReader, type LandingOptions } from '@perennia/landing-file';
import { LandingConfig } from '@perennia/storage/landing.config';
import type { Landing, PlaceReader } from '@perennia/storage';
import type { Clock, Logger } from '@perennia/telemetry';
import { ArchiveConfig } from './archive.config.js';
import { LandingAreas } from './landing-areas.js';

const ALIGNMENT_BYTES = 4096;

export interface FileLandingAreasOptions {
  config: EffectiveConfig;
  log: Logger;
  clock: Clock;
}

export class FileLandingAreas extends LandingAreas {
  /** The disk is this machine's: what stands on it waits for the process of its owner. */
  readonly shared = false;
  readonly directory: string;
  private diskTrouble: string | undefined;

  constructor(private readonly options: FileLandingAreasOptions) {
    super();
    this.directory = join(resolve(options.config.get(ArchiveConfig).data), 'landing');
  }

  async owners(): Promise<string[]> {
    if (!existsSync(this.directory)) return [];
    return readdirSync(this.directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).toSorted();
  }

  open(owner: string): Promise<Landing> {
    return FileLanding.open(this.optionsFor(owner));
  }

  adopt(owner: string): Promise<Landing> {
    return FileLanding.adopt(this.optionsFor(owner));
  }

  async reader(): Promise<PlaceReader> {
    return new LandingFileReader(this.directory);
  }

  trouble(): string | undefined {
    return this.diskTrouble;
  }

  private onDiskLevel(level: DiskLevelName, percent: number): void {
    const { log } = this.options;
    const usedPercent = Math.floor(percent);
    this.diskTrouble = level === 'ample' ? undefined : `the disk is filled to ${level === 'full' ? 'its limit: objects are refused' : `${usedPercent} % and more`}`;
    if (level === 'full') log.error({ usedPercent }, 'The disk is so full that objects are refused (A700, 507): free space, it goes on by itself');
    else if (level === 'low') log.warn({ usedPercent }, 'The disk fills up: free space, or enlarge it');
    else log.info({ usedPercent }, 'The disk has room again');
  }

  private optionsFor(owner: string): LandingOptions {
    const { config, log, clock } = this.options;
    const { segmentSize, segments, maxSegments, reserve, recycleGrace, warnAt, stopAt } = config.get(LandingConfig);
    return {
      directory: this.directory,
      owner,
      clock,
      segmentBytes: segmentSize - (segmentSize % ALIGNMENT_BYTES),
      segments,
      maxSegments: Math.max(segments, maxSegments),
      reserveBytes: reserve,
      graceMs: recycleGrace,
      warnAtPercent: warnAt,
      stopAtPercent: stopAt,
      onDiskLevel: (level, usedPercent) => this.onDiskLevel(level, usedPercent),
      onDamage: (damage) => log.error(damage, 'A landing segment is not as it was written'),
    };
  }
}
