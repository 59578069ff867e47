// Queues that more than one service knows: one asks, another does.
import type { NewJob } from './job.js';

/** Makes the copies of a study what the rules say: the second tier's, and new ones for those that have gone bad. Lifecycle does it. */
export const PLACE_QUEUE = 'place-study';

/** Transactions of storage commitment. Retrieval does them; `vna commitments` lists them. */
export const COMMITMENT_QUEUE = 'commit-storage';

export interface PlacePayload {
  bucket: number;
  studyId: string;
}

/** A tier may be away for days: nobody gives up. */
const PLACE_ATTEMPTS = 1_000_000;

export const placeJob = (bucket: number, studyId: string): NewJob => ({
  queue: PLACE_QUEUE, dedupeKey: studyId, maxAttempts: PLACE_ATTEMPTS, payload: { bucket, studyId } satisfies PlacePayload,
});
