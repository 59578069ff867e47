// The bytes of the archive for a command: its tiers and its landing areas, opened for reading.
import { LandingAreas, StorageAreas } from '@perennia/all-in-one';
import { LandingFileReader } from '@perennia/landing-file';
import { TieredPlaceReader, type PlaceReader, type StorageTiers } from '@perennia/storage';
import { SystemClock, createLogger } from '@perennia/telemetry';
import type { ArchiveAccess } from './archive-access.js';

export interface ArchivePlaces {
  tiers: StorageTiers;
  reader: PlaceReader;
  landingAreas: LandingAreas;
}

export async function withPlaces<Result>({ config }: ArchiveAccess, use: (places: ArchivePlaces) => Promise<Result>): Promise<Result> {
  const landingAreas = new LandingAreas({ config, log: createLogger('cli', 'warn'), clock: new SystemClock() });
  const areas = await StorageAreas.open(config);
  try {
    return await use({ tiers: areas.tiers, reader: new TieredPlaceReader(new LandingFileReader(landingAreas.directory), areas.tiers), landingAreas });
  } finally {
    areas.close();
  }
}
