export type { JobState, JobStatus, NewJob } from './job.js';
export { JobQueue } from './job-queue.js';
export { JobRunner, type JobHandler, type JobRunnerOptions, type QueueOptions } from './job-runner.js';
export { RunningJob } from './running-job.js';
export { COMMITMENT_QUEUE, PLACE_QUEUE, placeJob, type PlacePayload } from './queues.js';
