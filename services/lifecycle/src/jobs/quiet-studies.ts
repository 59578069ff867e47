// Orders the metadata of large series that have been quiet for a moment and are not filed yet: a viewer may open one long before. Small ones
// are rendered while they are looked at. Only while nothing is received; what a crash or a busy hour leaves out is built after filing.
import type { JobQueue } from '@perennia/jobs';
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock, Logger } from '@perennia/telemetry';
import type { LandingPressure } from '../filing/landing-pressure.js';
import { METADATA_QUEUE, type MetadataPayload } from './build-metadata.job.js';

const LOOK_EVERY_MS = 1000;
const QUIET_FOR_MS = 3000;
/** From here on rendering takes tens of milliseconds. */
const LARGE_INSTANCES = 128;
const STUDIES_AT_ONCE = 500;

interface QuietStudy {
  bucket: number;
  id: string;
  last_received_at: Date;
}

const QUIET = `
select s.bucket, s.id, s.last_received_at from imaging.study s
where s.state = 'open' and s.last_received_at > $1 and s.last_received_at <= $2 and s.number_of_instances >= ${LARGE_INSTANCES} and exists (
  select from imaging.series e
  where e.bucket = s.bucket and e.study_id = s.id and e.number_of_instances >= ${LARGE_INSTANCES} and e.metadata_version is distinct from e.version)
order by s.last_received_at limit ${STUDIES_AT_ONCE}`;

export class QuietStudies {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** Studies that received nothing since then have been ordered. */
  private orderedUntil = new Date(0);

  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly jobs: JobQueue,
    private readonly pressure: LandingPressure,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** @returns how many studies were ordered */
  async once(): Promise<number> {
    if ((await this.pressure.look()).receiving) return 0;
    const until = new Date(this.clock.nowMs() - QUIET_FOR_MS);
    const studies = await this.imaging.query<QuietStudy>(QUIET, [this.orderedUntil.toISOString(), until.toISOString()]);
    await this.jobs.enqueue(studies.map(({ bucket, id }) => ({ queue: METADATA_QUEUE, dedupeKey: id, payload: { bucket, studyId: id } satisfies MetadataPayload })));
    this.orderedUntil = studies.length === STUDIES_AT_ONCE ? studies.at(-1)!.last_received_at : until;
    return studies.length;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.once().catch((err: unknown) => this.log.warn({ err }, 'The metadata of large series waits'));
      await this.clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}
