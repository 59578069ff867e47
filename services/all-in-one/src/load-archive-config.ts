// The configuration of this process from its file and environment.
import { loadConfig, type EffectiveConfig } from '@perennia/config';
import { configSections } from './config-sections.js';

/** @throws ConfigurationError with one sentence for the first thing that is wrong */
export const loadArchiveConfig = (environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): EffectiveConfig =>
  loadConfig(configSections, { environment, folder });
