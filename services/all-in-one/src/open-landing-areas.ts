// The landing areas that a configuration asks for.
import type { EffectiveConfig } from '@perennia/config';
import { ConfigurationError } from '@perennia/errors';
import type { StorageTiers } from '@perennia/storage';
import { LandingConfig } from '@perennia/storage/landing.config';
import { StorageConfig } from '@perennia/storage/storage.config';
import type { Clock, Logger } from '@perennia/telemetry';
import { FileLandingAreas } from './file-landing-areas.js';
import type { LandingAreas } from './landing-areas.js';
import { ObjectLandingAreas } from './object-landing-areas.js';

export interface OpenLandingAreasOptions {
  config: EffectiveConfig;
  tiers: StorageTiers;
  log: Logger;
  clock: Clock;
}

/** @throws ConfigurationError when the tier named is not there or stands on one machine's disk */
export function openLandingAreas({ config, tiers, log, clock }: OpenLandingAreasOptions): LandingAreas {
  const { landing, tiers: profiles } = config.get(StorageConfig);
  if (landing === 'file') return new FileLandingAreas({ config, log, clock });
  const profile = profiles.find(({ name }) => name === landing);
  if (profile?.kind !== 's3') {
    throw new ConfigurationError(`Objects cannot land in ${landing}: it is no tier on S3`, { remedy: 'Set VNA_STORAGE_LANDING to "file", or to the name of a tier of the kind s3' });
  }
  return new ObjectLandingAreas({ store: tiers.storeOf(landing), maxSegments: config.get(LandingConfig).maxSegments, log });
}
