// What happens to objects after reception: they are filed into packs, verified, and their metadata is prepared.
import { Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InstanceDirectory, ReadInstance, SeriesMetadata } from '@perennia/egress';
import { JobQueue, JobRunner, PLACE_QUEUE, type PlacePayload } from '@perennia/jobs';
import { LandingConfig } from '@perennia/storage/landing.config';
import { OutboxWriter } from '@perennia/messaging';
import { ImagingDatabase } from '@perennia/persistence';
import { ObjectStore, PlaceReader, StorageTiers, TogetherReader } from '@perennia/storage';
import { AppLogger, Clock, Metrics, Tracing } from '@perennia/telemetry';
import { DisposeDuplicates } from './duplicates/dispose-duplicates.js';
import { CommitFiling } from './filing/commit-filing.js';
import { DueStudies } from './filing/due-studies.js';
import { FilingClaims } from './filing/filing-claims.js';
import { FileStudies } from './filing/file-studies.js';
import { FilingLoop } from './filing/filing-loop.js';
import { FilingWatch } from './filing/filing-watch.js';
import { LandingPressure } from './filing/landing-pressure.js';
import { Quarantine } from './filing/quarantine.js';
import { WritePacks } from './filing/write-packs.js';
import { BuildMetadata, METADATA_QUEUE, type MetadataPayload } from './jobs/build-metadata.job.js';
import { GiveUpUploads, UPLOADS_QUEUE } from './jobs/give-up-uploads.js';
import { PlaceStudy } from './jobs/place-study.job.js';
import { QuietStudies } from './jobs/quiet-studies.js';
import { SWEEP_QUEUE, SweepPacks, type SweepCursor, type SweepPayload } from './jobs/sweep-packs.js';
import { VERIFY_QUEUE, VerifyStudy, type VerifyPayload } from './jobs/verify-study.js';
import { LifecycleConfig } from './lifecycle.config.js';

const FIRST_SWEEP_MS = 10 * 60_000;

@Injectable()
class LifecycleWork implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly filing: FilingLoop,
    private readonly jobs: JobRunner,
    private readonly quiet: QuietStudies,
    private readonly sweep: SweepPacks,
    private readonly watch: FilingWatch,
    private readonly uploads: GiveUpUploads,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.filing.start();
    this.jobs.handle(UPLOADS_QUEUE, (job) => this.uploads.run(job)).start();
    this.quiet.start();
    this.watch.start();
    await this.sweep.schedule(FIRST_SWEEP_MS);
    await this.uploads.schedule(FIRST_SWEEP_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.watch.stop();
    await this.filing.stop();
    await this.quiet.stop();
    await this.jobs.stop();
  }
}

@Module({
  providers: [
    LifecycleWork,
    { provide: OutboxWriter, useFactory: () => new OutboxWriter('imaging') },
    { provide: JobQueue, useFactory: (imaging: ImagingDatabase) => new JobQueue(imaging), inject: [ImagingDatabase] },
    {
      provide: LandingPressure,
      useFactory: (imaging: ImagingDatabase, config: LifecycleConfig, { maxSegments }: LandingConfig) => new LandingPressure(imaging, { ...config, maxSegments }),
      inject: [ImagingDatabase, LifecycleConfig, LandingConfig],
    },
    {
      provide: Quarantine,
      useFactory: (imaging: ImagingDatabase, outbox: OutboxWriter, jobs: JobQueue, clock: Clock, log: AppLogger, metrics: Metrics) =>
        new Quarantine(imaging, outbox, jobs, clock, log, metrics),
      inject: [ImagingDatabase, OutboxWriter, JobQueue, Clock, AppLogger, Metrics],
    },
    {
      provide: CommitFiling,
      useFactory: (imaging: ImagingDatabase, outbox: OutboxWriter, jobs: JobQueue, clock: Clock, { second }: StorageTiers) =>
        new CommitFiling(imaging, outbox, jobs, clock, second !== undefined),
      inject: [ImagingDatabase, OutboxWriter, JobQueue, Clock, StorageTiers],
    },
    {
      provide: FileStudies,
      useFactory: (tiers: StorageTiers, reader: PlaceReader, committing: CommitFiling, quarantine: Quarantine, tracing: Tracing, { verify }: LifecycleConfig) =>
        new FileStudies({ packs: new WritePacks({ tiers, reader, verify }), committing, quarantine, reader, tracing }),
      inject: [StorageTiers, PlaceReader, CommitFiling, Quarantine, Tracing, LifecycleConfig],
    },
    {
      provide: DisposeDuplicates,
      useFactory: (imaging: ImagingDatabase, reader: PlaceReader, outbox: OutboxWriter, quarantine: Quarantine, clock: Clock, log: AppLogger) =>
        new DisposeDuplicates({ imaging, reader, outbox, quarantine, clock, log }),
      inject: [ImagingDatabase, PlaceReader, OutboxWriter, Quarantine, Clock, AppLogger],
    },
    { provide: FilingWatch, useFactory: (imaging: ImagingDatabase, metrics: Metrics, clock: Clock) => new FilingWatch(imaging, metrics, clock), inject: [ImagingDatabase, Metrics, Clock] },
    {
      provide: FilingLoop,
      useFactory: (
        imaging: ImagingDatabase, filing: FileStudies, duplicates: DisposeDuplicates, pressure: LandingPressure, clock: Clock, log: AppLogger,
        metrics: Metrics, { filers }: LifecycleConfig,
      ) => new FilingLoop({ imaging, due: new DueStudies(imaging, clock), claims: new FilingClaims(imaging, clock), filing, duplicates, pressure, clock, log, metrics, filers }),
      inject: [ImagingDatabase, FileStudies, DisposeDuplicates, LandingPressure, Clock, AppLogger, Metrics, LifecycleConfig],
    },
    {
      provide: BuildMetadata,
      useFactory: (imaging: ImagingDatabase, jobs: JobQueue, tiers: StorageTiers, store: ObjectStore, reader: PlaceReader, pressure: LandingPressure, clock: Clock) => {
        const directory = new InstanceDirectory({ imaging, jobs, tiers: tiers.names, trustMs: tiers.trustMs });
        return new BuildMetadata(imaging, new SeriesMetadata(directory, new ReadInstance(directory, new TogetherReader(reader, tiers)), store), store, pressure, clock);
      },
      inject: [ImagingDatabase, JobQueue, StorageTiers, ObjectStore, PlaceReader, LandingPressure, Clock],
    },
    {
      provide: QuietStudies,
      useFactory: (imaging: ImagingDatabase, jobs: JobQueue, pressure: LandingPressure, clock: Clock, log: AppLogger) => new QuietStudies(imaging, jobs, pressure, clock, log),
      inject: [ImagingDatabase, JobQueue, LandingPressure, Clock, AppLogger],
    },
    {
      provide: VerifyStudy,
      useFactory: (imaging: ImagingDatabase, reader: PlaceReader, quarantine: Quarantine, clock: Clock) => new VerifyStudy(imaging, reader, quarantine, clock),
      inject: [ImagingDatabase, PlaceReader, Quarantine, Clock],
    },
    {
      provide: SweepPacks,
      useFactory: (imaging: ImagingDatabase, tiers: StorageTiers, jobs: JobQueue, clock: Clock, log: AppLogger, { orphanAge }: LifecycleConfig) =>
        new SweepPacks({ imaging, tiers, jobs, clock, log, orphanAgeMs: orphanAge }),
      inject: [ImagingDatabase, StorageTiers, JobQueue, Clock, AppLogger, LifecycleConfig],
    },
    {
      provide: GiveUpUploads,
      useFactory: (tiers: StorageTiers, jobs: JobQueue, clock: Clock, log: AppLogger) => new GiveUpUploads(tiers, jobs, clock, log),
      inject: [StorageTiers, JobQueue, Clock, AppLogger],
    },
    {
      provide: PlaceStudy,
      useFactory: (imaging: ImagingDatabase, tiers: StorageTiers, quarantine: Quarantine, clock: Clock, log: AppLogger, metrics: Metrics) =>
        new PlaceStudy({ imaging, tiers, quarantine, clock, log, metrics }),
      inject: [ImagingDatabase, StorageTiers, Quarantine, Clock, AppLogger, Metrics],
    },
    {
      provide: JobRunner,
      useFactory: (
        imaging: ImagingDatabase, clock: Clock, log: AppLogger, metrics: Metrics, metadata: BuildMetadata, verify: VerifyStudy, sweep: SweepPacks, place: PlaceStudy,
      ) =>
        new JobRunner(imaging, { clock, log, metrics })
          .handle<MetadataPayload>(METADATA_QUEUE, (job) => metadata.run(job))
          .handle<VerifyPayload>(VERIFY_QUEUE, async (job) => void (await verify.run(job.payload, job.signal)))
          .handle<PlacePayload>(PLACE_QUEUE, (job) => place.run(job))
          .handle<SweepPayload, SweepCursor>(SWEEP_QUEUE, (job) => sweep.run(job)),
      inject: [ImagingDatabase, Clock, AppLogger, Metrics, BuildMetadata, VerifyStudy, SweepPacks, PlaceStudy],
    },
  ],
})
export class LifecycleModule {}
