export { catalogueDigest, type CatalogueDigest } from './catalogue-digest.js';
export { IndexBatch, type IndexedBatch } from './index-batch.js';
export { InstanceIds, incomingInstances, type IncomingInstance } from './incoming-instance.js';
export { IndexingConfig } from './indexing.config.js';
export { IndexingModule } from './indexing.module.js';
export { PatientDirectory } from './patient-directory.js';
export { INDEXING_GROUP, IndexReceipts } from './index-receipts.js';
export { ReceiptConsumer, type ReceiptConsumerParts } from './receipt-consumer.js';
export { emptyCatalogue, rebuildIndex, type RebuildOptions, type RebuildParts, type RebuildReport } from './rebuild/rebuild-index.js';
