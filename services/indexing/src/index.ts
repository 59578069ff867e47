export { IndexBatch, type IndexedBatch } from './index-batch.js';
export { InstanceIds, incomingInstances, type IncomingInstance } from './incoming-instance.js';
export { PatientDirectory } from './patient-directory.js';
