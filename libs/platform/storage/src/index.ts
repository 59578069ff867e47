export { AppendBatch } from './append-batch.js';
export { Landing, type LandedRecord, type LandingPosition, type LandingState, type LandingStream, type SealedSegment } from './landing.js';
export { ObjectStore, type ObjectInfo, type ObjectWriter, type ReadOptions, type StaleUpload } from './object-store.js';
export { StorageTiers, type TierRules } from './storage-tiers.js';
export { PlaceReader } from './place-reader.js';
export { TieredPlaceReader, assertInside } from './tiered-place-reader.js';
export { assertObjectKey, bucketName, packKey, studyHash, studyPrefix, workKey } from './object-key.js';
export { ChecksumStream } from './checksum-stream.js';
export {
  PACK_FOOTER_BYTES, PACK_FORMAT_VERSION, PACK_INDEX_SPLIT_BYTES, PACK_SPLIT_BYTES, decodePackFooter, encodePackFooter, packedReceipt,
  type PackEntry, type PackFooter, type PackedReceipt, type ReceiptHead,
} from './pack-format.js';
export { PackWriter, type WrittenPack } from './pack-writer.js';
export { readPackIndex } from './read-pack-index.js';
export { verifyPack, verifyWrittenPack } from './verify-pack.js';
export {
  FOOTER_BYTES, GROUP_ALIGNMENT_BYTES, GUARDED_PREFIX_BYTES, HEAD_BYTES, REFERENCE_BYTES, SEGMENT_FORMAT_VERSION, decodeFooter, decodeHead, decodeReference,
  encodeFooter, encodeHead, encodeReference, recordBytes, type RecordHead, type RecordKind, type StreamReference,
} from './segment-format.js';
export { isProcessAlive, processIdentity } from './process-identity.js';
export { asDiskError } from './disk-error.js';
export { DurableNotice } from './durable-notice.js';
export { FolderSync } from './folder-sync.js';
export { AlignedBuffers, BLOCK_BYTES } from './aligned-buffers.js';
export { RecentObjects } from './recent-objects.js';
export { TogetherReader } from './together-reader.js';
export { usedShare } from './used-share.js';
