export { IndexBatch, type IndexedBatch } from './index-batch.js';
export { incomingInstance, type IncomingInstance } from './incoming-instance.js';
export { PatientDirectory } from './patient-directory.js';
