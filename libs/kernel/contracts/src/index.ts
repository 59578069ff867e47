export { BUCKETS, bucketOf, partitionOfBucket } from './bucket.js';
export { surrogateId } from './surrogate-id.js';
export { HOT_TIER, LANDING_TIER, placeSchema, type Place } from './place.js';
export { frameIndexSchema, type FrameIndex } from './frame-index.js';
export { dicomJsonDatasetSchema, type DicomJsonDataset, type DicomJsonElement } from './dicom-json.js';
export { envelopeSchema, MAX_RECORD_BYTES, type Envelope } from './envelope.js';
export {
  INSTANCE_RECEIVED, instanceReceivedSchema, receiptSchema, searchAttributesSchema, sourceSchema,
  type InstanceReceived, type Receipt, type ReceiptSource, type SearchAttributes,
} from './events/instance-received.v1.js';
export { STUDY_CHANGED, studyChangedSchema, studyChangeReasons, type StudyChanged } from './events/study-changed.v1.js';
export { DEAD_LETTER, deadLetterSchema, type DeadLetter } from './events/dead-letter.v1.js';
export { DEFAULT_PARTITIONS, INDEXED_CHANNEL, topics, type Topic } from './topics.js';
