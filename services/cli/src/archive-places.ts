// The bytes of the archive for a command: its tiers and its landing areas, opened for reading.
import { openLandingAreas, StorageAreas, type LandingAreas } from '@perennia/all-in-one';
import { TieredPlaceReader, type PlaceReader, type StorageTiers } from '@perennia/storage';
import { SystemClock, createLogger } from '@perennia/telemetry';
import type { ArchiveAccess } from './archive-access.js';

export interface ArchivePlaces {
  tiers: StorageTiers;
  reader: PlaceReader;
  landingAreas: LandingAreas;
}

export async function withPlaces<Result>({ config }: ArchiveAccess, use: (places: ArchivePlaces) => Promise<Result>): Promise<Result> {
  const areas = await StorageAreas.open(config);
  try {
    const { tiers } = areas;
    const landingAreas = openLandingAreas({ config, tiers, log: createLogger('cli', 'warn'), clock: new SystemClock() });
    return await use({ tiers, reader: new TieredPlaceReader(await landingAreas.reader(), tiers), landingAreas });
  } finally {
    areas.close();
  }
}
