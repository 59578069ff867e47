export { DimseListener } from './dimse-listener.js';
export { IngestConfig } from './ingest.config.js';
export { IngestModule } from './ingest.module.js';
