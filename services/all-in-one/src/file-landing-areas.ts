// Landing areas on this machine's disk: `<data>/landing/<owner>`, opened with the settings of the section `landing`.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EffectiveConfig } from '@perennia/config';
import { FileLanding, LandingFileReader, type LandingOptions } from '@perennia/landing-file';
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

  private optionsFor(owner: string): LandingOptions {
    const { config, log, clock } = this.options;
    const { segmentSize, segments, maxSegments, reserve, recycleGrace } = config.get(LandingConfig);
    return {
      directory: this.directory,
      owner,
      clock,
      segmentBytes: segmentSize - (segmentSize % ALIGNMENT_BYTES),
      segments,
      maxSegments: Math.max(segments, maxSegments),
      reserveBytes: reserve,
      graceMs: recycleGrace,
      onDamage: (damage) => log.error(damage, 'A landing segment is not as it was written'),
    };
  }
}
