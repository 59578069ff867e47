// The configuration of the product: the sum of its modules' sections.
import type { ConfigSection } from '@perennia/config';
import { DicomwebConfig } from '@perennia/dicomweb';
import { IndexingConfig } from '@perennia/indexing';
import { IngestConfig } from '@perennia/ingest';
import { IngestPipelineConfig, SourcesConfig } from '@perennia/ingest-pipeline';
import { LifecycleConfig } from '@perennia/lifecycle';
import { ArchiveConfig } from './archive.config.js';
import { LandingConfig } from './landing.config.js';

export const configSections: readonly ConfigSection[] = [
  ArchiveConfig, IngestConfig, SourcesConfig, IngestPipelineConfig, LandingConfig, IndexingConfig, LifecycleConfig, DicomwebConfig,
];
