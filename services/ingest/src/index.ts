export { IngestConfig } from './ingest.config.js';
export { IngestModule } from './ingest.module.js';
