// Settings of a landing area, their defaults and bounds.
import { join } from 'node:path';
import { InvalidInputError } from '@perennia/errors';
import { GROUP_ALIGNMENT_BYTES } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import type { DiskLevelName } from './disk-level.js';
import { LandingDisk } from './landing-disk.js';

export interface LandingOptions {
  /** Folder of all areas, as in `<data>/landing`. */
  directory: string;
  /** Name of this area: letters, digits, `.`, `_`, `-`; the first part of every place key. */
  owner: string;
  clock: Clock;
  /** @default 256 MiB; a multiple of 4 KiB */
  segmentBytes?: number;
  /** Segments that are kept for re-use. @default 16 */
  segments?: number;
  /** How far the pool may grow while nothing is released and the disk has room. @default 4 × segments */
  maxSegments?: number;
  /** The pool does not grow into the last bytes of the disk; PostgreSQL may live there too. @default 1 GiB */
  reserveBytes?: number;
  /** From so many per cent of the disk in use on it is told (`onDiskLevel`); 100: never. @default 100 */
  warnAtPercent?: number;
  /** From so many on objects are refused; 100: only when there is really no room. @default 100 */
  stopAtPercent?: number;
  /** How long the first append waits when no segment is free; while that lasts, later ones are refused at once. @default 5000 */
  waitForSegmentMs?: number;
  /** From release to re-use, so that readers finish. @default 10000 */
  graceMs?: number;
  /** Groups up to this size are written by the calling thread. @default 128 KiB */
  synchronousBytes?: number;
  /**
   * While one sender is alone and the device answers within this, the calling thread syncs itself; 0: never. Less would take a busy
   * processor for a slow device. @default 10, 0 if `disk` is given
   */
  loneSyncMs?: number;
  /** Write large groups past the page cache where the file system can. @default true, unless `disk` is given */
  direct?: boolean;
  /** `tail` hashes what no later record vouches for, `all` every object. @default 'tail' */
  verify?: 'tail' | 'all';
  /** Told about everything that is not as it was written; in words without patient data. */
  onDamage?: (damage: LandingDamage) => void;
  /** Told when the disk gets fuller or emptier than its bounds. */
  onDiskLevel?: (level: DiskLevelName, usedPercent: number) => void;
  disk?: LandingDisk;
}

export interface LandingDamage {
  file: string;
  generation: number;
  offset: number;
  what: string;
}

export type ResolvedLandingOptions = Required<LandingOptions> & { folder: string };

const OWNER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

export function resolveLandingOptions(options: LandingOptions): ResolvedLandingOptions {
  if (!OWNER.test(options.owner)) throw new InvalidInputError('The owner of a landing area has a name of letters, digits, dot, dash and underscore.');
  const segmentBytes = options.segmentBytes ?? 256 * 1024 * 1024;
  const segments = options.segments ?? 16;
  if (segmentBytes < 4 * GROUP_ALIGNMENT_BYTES || segmentBytes % GROUP_ALIGNMENT_BYTES !== 0) {
    throw new InvalidInputError('The size of a landing segment is a multiple of 4 KiB, at least 16 KiB.', { details: { segmentBytes } });
  }
  if (!Number.isInteger(segments) || segments < 2) throw new InvalidInputError('A landing area has at least two segments.');
  return {
    ...options,
    folder: join(options.directory, options.owner),
    segmentBytes,
    segments,
    maxSegments: Math.max(segments, options.maxSegments ?? 4 * segments),
    reserveBytes: options.reserveBytes ?? 1024 * 1024 * 1024,
    warnAtPercent: options.warnAtPercent ?? 100,
    stopAtPercent: options.stopAtPercent ?? 100,
    waitForSegmentMs: options.waitForSegmentMs ?? 5000,
    graceMs: options.graceMs ?? 10_000,
    synchronousBytes: options.synchronousBytes ?? 128 * 1024,
    loneSyncMs: options.loneSyncMs ?? (options.disk === undefined ? 10 : 0),
    direct: options.direct ?? options.disk === undefined,
    verify: options.verify ?? 'tail',
    onDamage: options.onDamage ?? (() => {}),
    onDiskLevel: options.onDiskLevel ?? (() => {}),
    disk: options.disk ?? new LandingDisk(),
  };
}
