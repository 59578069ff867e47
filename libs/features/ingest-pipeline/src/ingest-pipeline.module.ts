// Reception for a process: one landing area, one budget, one relay. Imported by every service that takes objects in.
import { Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventLog } from '@perennia/messaging';
import { ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import { Landing } from '@perennia/storage';
import { LandingConfig } from '@perennia/storage/landing.config';
import { AppLogger, Clock, Metrics, Tracing } from '@perennia/telemetry';
import { AwaitIndexed } from './await-indexed.js';
import { BlockPool } from './block-pool.js';
import { ByteBudget } from './byte-budget.js';
import { IngestPipelineConfig } from './ingest-pipeline.config.js';
import { ReceiptRelay } from './receipt-relay.js';
import { ReceiveObject } from './receive-object.js';
import { RefusalLog } from './refusal-log.js';
import { SegmentKeeper } from './segment-keeper.js';
import { SourceProfiles } from './source-profile.js';
import { SourcesConfig } from './sources.config.js';
import { LandingWatch } from './landing-watch.js';
import { LandingOwner } from './landing-owner.js';

@Injectable()
class PipelineLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly relay: ReceiptRelay,
    private readonly keeper: SegmentKeeper,
    private readonly refusals: RefusalLog,
    private readonly indexed: AwaitIndexed,
    private readonly landing: LandingWatch,
  ) {}

  onApplicationBootstrap(): void {
    this.relay.start();
    this.keeper.start();
    this.landing.start();
  }

  /** After the listeners are closed: what landed is published before the process ends, as far as the database answers. */
  async onApplicationShutdown(): Promise<void> {
    await this.landing.stop();
    await this.keeper.stop();
    await this.relay.stop();
    await this.indexed.close();
    await this.refusals.flush();
  }
}

@Module({
  providers: [
    PipelineLifecycle,
    {
      provide: ByteBudget,
      useFactory: (config: IngestPipelineConfig, landing: Landing) => new ByteBudget(Math.min(config.maxBytesInFlight, landing.mostBytesInFlight)),
      inject: [IngestPipelineConfig, Landing],
    },
    {
      provide: BlockPool,
      useFactory: (budget: ByteBudget, landing: Landing) => new BlockPool(budget, (sizeBytes) => landing.memory(sizeBytes)),
      inject: [ByteBudget, Landing],
    },
    { provide: SourceProfiles, useFactory: (config: SourcesConfig) => new SourceProfiles(config.profiles), inject: [SourcesConfig] },
    {
      provide: RefusalLog,
      useFactory: (control: ControlDatabase, clock: Clock, logger: AppLogger, metrics: Metrics) => new RefusalLog(control, clock, logger, metrics),
      inject: [ControlDatabase, Clock, AppLogger, Metrics],
    },
    {
      provide: ReceiveObject,
      useFactory: (landing: Landing, blocks: BlockPool, refusals: RefusalLog, clock: Clock) =>
        new ReceiveObject({ landing, blocks, refusals, clock }),
      inject: [Landing, BlockPool, RefusalLog, Clock],
    },
    {
      provide: AwaitIndexed,
      useFactory: (imaging: ImagingDatabase, clock: Clock, logger: AppLogger, relay: ReceiptRelay) => new AwaitIndexed(imaging, clock, logger, () => relay.hurry()),
      inject: [ImagingDatabase, Clock, AppLogger, ReceiptRelay],
    },
    {
      provide: ReceiptRelay,
      useFactory: (landing: Landing, eventLog: EventLog, imaging: ImagingDatabase, clock: Clock, metrics: Metrics, logger: AppLogger, tracing: Tracing, owner: LandingOwner) =>
        new ReceiptRelay({ landing, eventLog, imaging, clock, metrics, logger, tracing, owner: owner.name }),
      inject: [Landing, EventLog, ImagingDatabase, Clock, Metrics, AppLogger, Tracing, LandingOwner],
    },
    {
      provide: LandingWatch,
      useFactory: (landing: Landing, metrics: Metrics, clock: Clock, { maxSegments }: LandingConfig) => new LandingWatch(landing, metrics, clock, maxSegments),
      inject: [Landing, Metrics, Clock, LandingConfig],
    },
    {
      provide: SegmentKeeper,
      useFactory: (
        landing: Landing,
        imaging: ImagingDatabase,
        eventLog: EventLog,
        relay: ReceiptRelay,
        clock: Clock,
        logger: AppLogger,
        owner: LandingOwner,
        config: IngestPipelineConfig,
      ) => new SegmentKeeper({ landing, imaging, eventLog, relay, clock, logger, owner: owner.name, republishAfterMs: config.republishAfter }),
      inject: [Landing, ImagingDatabase, EventLog, ReceiptRelay, Clock, AppLogger, LandingOwner, IngestPipelineConfig],
    },
  ],
  exports: [ReceiveObject, AwaitIndexed, SourceProfiles, ByteBudget],
})
export class IngestPipelineModule {}
