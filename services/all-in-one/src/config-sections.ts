// The configuration of the product: the sum of its modules' sections. Only the sections are loaded, not the modules: the supervisor
// and the command line need no more.
import type { ConfigSection } from '@perennia/config';
import { DicomwebConfig } from '@perennia/dicomweb/dicomweb.config';
import { IndexingConfig } from '@perennia/indexing/indexing.config';
import { IngestConfig } from '@perennia/ingest/ingest.config';
import { IngestPipelineConfig } from '@perennia/ingest-pipeline/ingest-pipeline.config';
import { SourcesConfig } from '@perennia/ingest-pipeline/sources.config';
import { KafkaConfig } from '@perennia/messaging/kafka.config';
import { StorageConfig } from '@perennia/storage/storage.config';
import { LandingConfig } from '@perennia/storage/landing.config';
import { TelemetryConfig } from '@perennia/telemetry/telemetry.config';
import { RetrieveConfig } from '@perennia/retrieve/retrieve.config';
import { LifecycleConfig } from '@perennia/lifecycle/lifecycle.config';
import { ArchiveConfig } from './archive.config.js';

export const configSections: readonly ConfigSection[] = [
  ArchiveConfig, IngestConfig, SourcesConfig, IngestPipelineConfig, LandingConfig, StorageConfig, IndexingConfig, LifecycleConfig, DicomwebConfig, RetrieveConfig, KafkaConfig, TelemetryConfig,
];
