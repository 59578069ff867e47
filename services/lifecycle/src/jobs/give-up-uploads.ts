// Gives up uploads in parts that nobody finishes, twice a day: what a killed process or a lost answer leaves in an object store takes room there
// and is seen by no listing. An upload is under way for minutes; one that is half a day old is nobody's, and none gets older than a day.
import type { JobQueue, RunningJob } from '@perennia/jobs';
import type { StorageTiers } from '@perennia/storage';
import type { Clock, Logger } from '@perennia/telemetry';

export const UPLOADS_QUEUE = 'give-up-uploads';
const HALF_DAY_MS = 12 * 3_600_000;

export class GiveUpUploads {
  constructor(private readonly tiers: StorageTiers, private readonly jobs: JobQueue, private readonly clock: Clock, private readonly log: Logger) {}

  /** Asks for the next time; asking again for the same half day changes nothing. */
  async schedule(delayMs: number): Promise<void> {
    const runAt = new Date(this.clock.nowMs() + delayMs);
    await this.jobs.enqueue([{ queue: UPLOADS_QUEUE, dedupeKey: `uploads ${Math.floor(runAt.getTime() / HALF_DAY_MS)}`, payload: {}, runAt }]);
  }

  async run({ signal }: Pick<RunningJob, 'signal'>): Promise<void> {
    for (const tier of this.tiers.names) {
      signal.throwIfAborted();
      const givenUp = await this.tiers.storeOf(tier).abortStaleUploads(HALF_DAY_MS);
      if (givenUp.length > 0) this.log.info({ tier, uploads: givenUp.length }, 'Uploads that nobody finished were given up');
    }
    await this.schedule(HALF_DAY_MS);
  }
}
