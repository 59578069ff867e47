export { Landing, type LandedRecord, type LandingPosition, type LandingState, type LandingStream, type SealedSegment } from './landing.js';
export { ObjectStore, type ObjectInfo, type ObjectWriter, type ReadOptions } from './object-store.js';
export { PlaceReader } from './place-reader.js';
