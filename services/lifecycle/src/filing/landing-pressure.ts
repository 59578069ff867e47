// How full the landing areas are, seen from the rows of their segments: decides how long a study may stay open before it is filed, and how
// much of the disk filing takes from reception. While there is room one filer works: a disk that four of them read and write lets senders
// store a fourth less, and what they have sent waits safely. All of them work before senders are slowed down.
import type { ImagingDatabase } from '@perennia/persistence';
import type { LandingConfig } from '@perennia/storage/landing.config';
import type { LifecycleConfig } from '../lifecycle.config.js';

export interface Pressure {
  level: 'calm' | 'hurried' | 'full';
  /** A study that has been quiet for this long is filed. */
  settleMs: number;
  /** How many filers work. */
  filers: number;
  /** How long they rest after each group, as a multiple of the time it took. */
  rest: number;
  /** Whether objects come at present. */
  receiving: boolean;
}

/** Share of landing.maxSegments from which studies are filed sooner, unless the setting says so earlier. */
const HURRIED_FROM = 0.375;
/** Shares of landing.maxSegments from which a second filer works, and all of them. */
const MORE_FILERS_FROM = 0.5;
const ALL_FILERS_FROM = 0.7;

export type PressureSettings = Pick<LifecycleConfig, 'settle' | 'hurrySettle' | 'hurrySegments' | 'filers'> & Pick<LandingConfig, 'maxSegments'>;

/** While there is room and something is received, the filer rests for as long as it works. */
const REST = 1;

interface Landed {
  segments: number;
  receiving: boolean;
}

/** The relay of an area stores its position twice a second while anything comes. */
const LANDED = `
select count(*)::int as segments, exists (select from imaging.relay_position where updated_at > now() - interval '3 s') as receiving
from imaging.segment where state <> 'released'`;

export class LandingPressure {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly settings: PressureSettings,
  ) {}

  async look(): Promise<Pressure> {
    const [landed] = await this.imaging.prepared<Landed>(LANDED);
    const { segments, receiving } = landed!;
    const { settle, hurrySettle, maxSegments } = this.settings;
    const hurrySegments = Math.min(this.settings.hurrySegments, HURRIED_FROM * maxSegments);
    const work = { filers: this.filersFor(segments), rest: receiving && segments < MORE_FILERS_FROM * maxSegments ? REST : 0, receiving };
    if (segments > 2 * hurrySegments) return { level: 'full', settleMs: 0, ...work };
    if (segments > hurrySegments) return { level: 'hurried', settleMs: Math.min(settle, hurrySettle), ...work };
    return { level: 'calm', settleMs: settle, ...work };
  }

  private filersFor(segments: number): number {
    const { filers, maxSegments } = this.settings;
    const share = (segments / maxSegments - MORE_FILERS_FROM) / (ALL_FILERS_FROM - MORE_FILERS_FROM);
    return Math.min(filers, 1 + Math.max(0, Math.floor(share * filers)));
  }
}
