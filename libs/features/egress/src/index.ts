export { FramesNotSeparableError } from './frames-not-separable-error.js';
export { InstanceDirectory, type InstanceSelection } from './instance-directory.js';
export { ReadBulkData, type BulkData } from './read-bulk-data.js';
export { ReadFrames } from './read-frames.js';
export { ReadInstance } from './read-instance.js';
export { RetrieveInstances, type InstancePiece } from './retrieve-instances.js';
export { SeriesMetadata, type BuiltMetadata } from './series-metadata.js';
export { metadataText } from './metadata-text.js';
export { type FramedInstance, type StoredCopy, type StoredInstance, type StoredSeries } from './stored-instance.js';
