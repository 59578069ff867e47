// docs/configuration.md as it has to be.
import { configReference } from '@perennia/config';
import { configSections } from './config-sections.js';

export const configurationPage = (): string => configReference(configSections);
