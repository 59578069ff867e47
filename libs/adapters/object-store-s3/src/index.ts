export { S3ObjectStore } from './s3-object-store.js';
export type { BreakerState } from './circuit-breaker.js';
export type { RequestOutcome, S3ObjectStoreOptions } from './s3-options.js';
