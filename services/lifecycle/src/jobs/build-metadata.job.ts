// Builds the compressed metadata of a settled study's series, so that viewers get them with one read. A blob is valid only for the version
// of the series it was made of; one that came too late is not entered.
import { AlreadyExistsError } from '@perennia/errors';
import type { SeriesMetadata } from '@perennia/egress';
import type { RunningJob } from '@perennia/jobs';
import type { ImagingDatabase } from '@perennia/persistence';
import { bucketName, workKey, type ObjectStore } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import type { LandingPressure } from '../filing/landing-pressure.js';

export const METADATA_QUEUE = 'build-metadata';
/** Builds wait while something is received; but not longer than this. */
const LONGEST_WAIT_MS = 10 * 60_000;
const LOOK_EVERY_MS = 2000;

export interface MetadataPayload {
  bucket: number;
  studyId: string;
}

const OUTDATED = `
select id, metadata_key from imaging.series
where bucket = $1 and study_id = $2 and number_of_instances > 0 and metadata_version is distinct from version order by id`;

const ENTER = `
update imaging.series set metadata_key = $3, metadata_version = $4 where bucket = $1 and id = $2 and version = $4 returning 1`;

export class BuildMetadata {
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly metadata: Pick<SeriesMetadata, 'build'>,
    private readonly store: ObjectStore,
    private readonly pressure: LandingPressure,
    private readonly clock: Clock,
  ) {}

  async run({ payload, signal }: Pick<RunningJob<MetadataPayload>, 'payload' | 'signal'>): Promise<void> {
    const { bucket, studyId } = payload;
    await this.waitForQuiet(signal);
    for (const { id, metadata_key } of await this.imaging.query<{ id: string; metadata_key: string | null }>(OUTDATED, [bucket, studyId])) {
      signal.throwIfAborted();
      await this.buildSeries(bucket, id, metadata_key);
    }
  }

  private async waitForQuiet(signal: AbortSignal): Promise<void> {
    const startMs = this.clock.monotonicMs();
    while (this.clock.monotonicMs() - startMs < LONGEST_WAIT_MS && (await this.pressure.look()).receiving) {
      await this.clock.sleep(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  }

  private async buildSeries(bucket: number, seriesId: string, previousKey: string | null): Promise<void> {
    const { blob, version } = await this.metadata.build(bucket, seriesId);
    const key = workKey('metadata', bucketName(bucket), `${seriesId}-${version}.gz`);
    await this.write(key, blob);
    const [entered] = await this.imaging.query(ENTER, [bucket, seriesId, key, version]);
    if (!entered) await this.store.delete(key);
    else if (previousKey !== null && previousKey !== key) await this.store.delete(previousKey);
  }

  private async write(key: string, blob: Buffer): Promise<void> {
    try {
      const writer = await this.store.create(key, blob.length);
      await writer.write(blob);
      await writer.commit();
    } catch (error) {
      // A run before this one was interrupted: of one version there is one blob.
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
  }
}
