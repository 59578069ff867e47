// How full the landing areas are, seen from the rows of their segments: decides how long a study may stay open before it is filed.
import type { ImagingDatabase } from '@perennia/persistence';
import type { LifecycleConfig } from '../lifecycle.config.js';

export interface Pressure {
  level: 'calm' | 'hurried' | 'full';
  /** A study that has been quiet for this long is filed. */
  settleMs: number;
}

const HELD = `select count(*)::int as segments from imaging.segment where state <> 'released'`;

export class LandingPressure {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly config: Pick<LifecycleConfig, 'settle' | 'hurrySettle' | 'hurrySegments'>,
  ) {}

  async look(): Promise<Pressure> {
    const [held] = await this.imaging.query<{ segments: number }>(HELD);
    const { settle, hurrySettle, hurrySegments } = this.config;
    if (held!.segments > 2 * hurrySegments) return { level: 'full', settleMs: 0 };
    if (held!.segments > hurrySegments) return { level: 'hurried', settleMs: Math.min(settle, hurrySettle) };
    return { level: 'calm', settleMs: settle };
  }
}
