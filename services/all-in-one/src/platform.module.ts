// The ports of the platform under their tokens, for every module of one process.
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { EffectiveConfig } from '@perennia/config';
import { AssociationExchange } from '@perennia/ingest-pipeline/dimse';
import { LandingOwner } from '@perennia/ingest-pipeline';
import { EventLog } from '@perennia/messaging';
import { ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import { Landing, ObjectStore, PlaceReader, StorageTiers } from '@perennia/storage';
import { AppLogger, Clock, HealthRegistry, Metrics, Tracing, type Logger } from '@perennia/telemetry';
import { configSections } from './config-sections.js';
import type { Resources } from './resources.js';

export interface PlatformOptions {
  resources: Resources;
  config: EffectiveConfig;
  log: Logger;
  landingOwner: string | undefined;
  exchange: AssociationExchange;
}

@Module({})
export class PlatformModule {
  static with({ resources, config, log, landingOwner, exchange }: PlatformOptions): DynamicModule {
    const { databases, eventLog, tiers, placeReader, landing, clock, metrics, tracing, health } = resources;
    const providers: Provider[] = [
      { provide: ControlDatabase, useValue: databases.control },
      { provide: ImagingDatabase, useValue: databases.imaging },
      { provide: EventLog, useValue: eventLog },
      { provide: StorageTiers, useValue: tiers },
      { provide: ObjectStore, useValue: tiers.common },
      { provide: PlaceReader, useValue: placeReader },
      { provide: Clock, useValue: clock },
      { provide: Metrics, useValue: metrics },
      { provide: Tracing, useValue: tracing },
      { provide: HealthRegistry, useValue: health },
      { provide: AppLogger, useValue: log },
      { provide: AssociationExchange, useValue: exchange },
      ...configSections.map((section) => ({ provide: section, useValue: config.get(section) })),
    ];
    if (landing && landingOwner !== undefined) {
      providers.push({ provide: Landing, useValue: landing }, { provide: LandingOwner, useValue: new LandingOwner(landingOwner) });
    }
    return { module: PlatformModule, global: true, providers, exports: providers.map(tokenOf) };
  }
}

const tokenOf = (provider: Provider) => (provider as { provide: NonNullable<DynamicModule['exports']>[number] }).provide;
