// How full the landing area of this process is, as metrics: before it is full senders are slowed down, then refused.
import type { Landing } from '@perennia/storage';
import { Watch, type Clock, type Metrics } from '@perennia/telemetry';

const INTERVAL_MS = 5000;

export class LandingWatch {
  private readonly watch: Watch;
  private readonly used;
  private readonly held;

  /** @param maxSegments the area may grow to */
  constructor(private readonly landing: Landing, metrics: Metrics, clock: Clock, maxSegments: number) {
    this.used = metrics.gauge('vna_landing_segments_used', 'Segments of the landing area that hold something');
    this.held = metrics.gauge('vna_landing_held_bytes', 'Bytes in segments of the landing area that are not released yet');
    metrics.gauge('vna_landing_segments_max', 'Segments the landing area may grow to').set(maxSegments);
    this.watch = new Watch(clock, () => this.look(), INTERVAL_MS);
  }

  start(): void {
    this.watch.start();
  }
  stop(): Promise<void> {
    return this.watch.stop();
  }

  private look(): void {
    const { totalSegments, freeSegments, heldBytes } = this.landing.state();
    this.used.set(totalSegments - freeSegments);
    this.held.set(heldBytes);
  }
}
