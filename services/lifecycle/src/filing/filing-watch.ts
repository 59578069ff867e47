// How far filing is behind, as metrics: studies whose objects stand in the landing area only, on one disk.
import type { ImagingDatabase } from '@perennia/persistence';
import { Watch, type Clock, type Metrics } from '@perennia/telemetry';

const OPEN = `
select count(*)::int as studies, coalesce(extract(epoch from now() - min(last_received_at)), 0)::float8 as seconds from imaging.study where state = 'open'`;

export class FilingWatch {
  private readonly watch: Watch;
  private readonly studies;
  private readonly oldest;

  constructor(private readonly imaging: ImagingDatabase, metrics: Metrics, clock: Clock) {
    this.studies = metrics.gauge('vna_unfiled_studies', 'Studies with objects that are not filed yet');
    this.oldest = metrics.gauge('vna_unfiled_oldest_seconds', 'Since the last object of the study that has waited longest to be filed; 0 when none waits');
    this.watch = new Watch(clock, () => this.look());
  }

  start(): void {
    this.watch.start();
  }
  stop(): Promise<void> {
    return this.watch.stop();
  }

  private async look(): Promise<void> {
    const [row] = await this.imaging.query<{ studies: number; seconds: number }>(OPEN);
    this.studies.set(row!.studies);
    this.oldest.set(Math.max(0, row!.seconds));
  }
}
