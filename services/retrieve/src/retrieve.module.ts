// The retrieve service: C-FIND on the catalogue, C-MOVE and C-GET from the store, storage commitment. It takes C-ECHO and C-STORE too, for peers that ask for everything on one association.
import { Injectable, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CatalogSearch, PatientSearch } from '@perennia/catalog-query';
import { DimseStatus, type DimseServices } from '@perennia/dicom-net';
import { Decoding, EgressModule, InstanceDirectory, ObjectFeed, ReadInstance } from '@perennia/egress';
import { AssociationExchange, AssociationTraces, DimseListener, DimseModule, ListenerMetrics, StoreHandler } from '@perennia/ingest-pipeline/dimse';
import { IngestPipelineModule, SourceProfiles } from '@perennia/ingest-pipeline';
import { COMMITMENT_QUEUE, JobQueue, JobRunner } from '@perennia/jobs';
import { ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import { CodecPool, PixelDecoding } from '@perennia/pixel-codecs';
import { NodeDirectory } from '@perennia/remote-nodes';
import { AppLogger, Clock, HealthRegistry, Metrics } from '@perennia/telemetry';
import { CheckCommitment } from './commitment/check-commitment.js';
import { CommitmentHandler } from './commitment/commitment.handler.js';
import { CommitmentJob, type CommitmentCursor, type CommitmentPayload } from './commitment/commitment.job.js';
import { EventReporter } from './commitment/event-reporter.js';
import { FindHandler } from './find/find.handler.js';
import { acceptContext, acceptQueryExtensions, acceptRole } from './offered-contexts.js';
import { GetHandler } from './retrieval/get.handler.js';
import { MoveHandler } from './retrieval/move.handler.js';
import { RetrieveMetrics } from './retrieve-metrics.js';
import { RetrieveConfig } from './retrieve.config.js';

@Injectable()
class RetrieveLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private listening = false;

  constructor(
    private readonly listener: DimseListener,
    private readonly jobs: JobRunner,
    private readonly codecs: CodecPool,
    health: HealthRegistry,
  ) {
    health.addReadiness('query-listener', () => (this.listening ? undefined : 'not listening yet'));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.jobs.start();
    await this.listener.start();
    this.listening = true;
  }

  /** Before the pipeline ends: what is in flight is answered first. */
  async beforeApplicationShutdown(): Promise<void> {
    this.listening = false;
    await Promise.all([this.listener.stop(), this.jobs.stop()]);
    await this.codecs.close();
  }
}

/** What peers may invoke. */
class PerformedServices implements DimseServices {
  constructor(
    readonly store: StoreHandler,
    readonly find: FindHandler,
    readonly move: MoveHandler,
    readonly get: GetHandler,
    readonly action: CommitmentHandler,
  ) {}

  readonly echo = (): number => DimseStatus.success;
}

@Module({
  imports: [IngestPipelineModule, DimseModule, EgressModule],
  providers: [
    RetrieveLifecycle,
    {
      provide: FindHandler,
      useFactory: ({ aeTitle, maxMatches, upperKeys }: RetrieveConfig, imaging: ImagingDatabase, metrics: RetrieveMetrics) =>
        new FindHandler({
          search: new CatalogSearch(imaging), patients: new PatientSearch(imaging), aeTitle, maxMatches, upperKeysOptional: upperKeys === 'optional',
          counted: (matches) => metrics.matches.inc(matches),
        }),
      inject: [RetrieveConfig, ImagingDatabase, RetrieveMetrics],
    },
    { provide: CodecPool, useFactory: () => new CodecPool() },
    {
      provide: Decoding,
      useFactory: (directory: InstanceDirectory, read: ReadInstance, pool: CodecPool) => new Decoding(directory, read, new PixelDecoding(pool)),
      inject: [InstanceDirectory, ReadInstance, CodecPool],
    },
    {
      provide: CheckCommitment,
      useFactory: (directory: InstanceDirectory, read: ReadInstance, { commitmentDepth }: RetrieveConfig) => new CheckCommitment(directory, read, commitmentDepth),
      inject: [InstanceDirectory, ReadInstance, RetrieveConfig],
    },
    { provide: EventReporter, useFactory: ({ aeTitle }: RetrieveConfig, clock: Clock) => new EventReporter(aeTitle, clock), inject: [RetrieveConfig, Clock] },
    {
      provide: CommitmentJob,
      useFactory: (check: CheckCommitment, nodes: NodeDirectory, clock: Clock, reporter: EventReporter, { commitmentGrace }: RetrieveConfig) =>
        new CommitmentJob({ check, nodes, clock, indexingGraceMs: commitmentGrace, report: (...told) => reporter.report(...told) }),
      inject: [CheckCommitment, NodeDirectory, Clock, EventReporter, RetrieveConfig],
    },
    {
      provide: JobRunner,
      useFactory: (imaging: ImagingDatabase, clock: Clock, log: AppLogger, metrics: Metrics, commitment: CommitmentJob) =>
        new JobRunner(imaging, { clock, log, metrics }).handle<CommitmentPayload, CommitmentCursor>(COMMITMENT_QUEUE, (job) => commitment.run(job), { concurrency: 2 }),
      inject: [ImagingDatabase, Clock, AppLogger, Metrics, CommitmentJob],
    },
    {
      provide: CommitmentHandler,
      useFactory: (imaging: ImagingDatabase, check: CheckCommitment, reporter: EventReporter, clock: Clock, logger: AppLogger, runner: JobRunner) =>
        new CommitmentHandler({ jobs: new JobQueue(imaging), check, reporter, clock, logger, wake: () => runner.wake() }),
      inject: [ImagingDatabase, CheckCommitment, EventReporter, Clock, AppLogger, JobRunner],
    },
    { provide: NodeDirectory, useFactory: (control: ControlDatabase, clock: Clock) => new NodeDirectory(control, clock), inject: [ControlDatabase, Clock] },
    { provide: RetrieveMetrics, useFactory: (metrics: Metrics) => new RetrieveMetrics(metrics), inject: [Metrics] },
    {
      provide: GetHandler,
      useFactory: (directory: InstanceDirectory, feed: ObjectFeed, decoding: Decoding, metrics: RetrieveMetrics) =>
        new GetHandler({ directory, feed, decoding, sent: () => metrics.sent.inc({ operation: 'C-GET' }) }),
      inject: [InstanceDirectory, ObjectFeed, Decoding, RetrieveMetrics],
    },
    {
      provide: MoveHandler,
      useFactory: (
        directory: InstanceDirectory, feed: ObjectFeed, decoding: Decoding, nodes: NodeDirectory, { aeTitle }: RetrieveConfig, clock: Clock, logger: AppLogger, metrics: RetrieveMetrics,
      ) =>
        new MoveHandler({ directory, feed, decoding, nodes, aeTitle, clock, logger, sent: () => metrics.sent.inc({ operation: 'C-MOVE' }) }),
      inject: [InstanceDirectory, ObjectFeed, Decoding, NodeDirectory, RetrieveConfig, Clock, AppLogger, RetrieveMetrics],
    },
    {
      provide: PerformedServices,
      useFactory: (store: StoreHandler, find: FindHandler, move: MoveHandler, get: GetHandler, action: CommitmentHandler) => new PerformedServices(store, find, move, get, action),
      inject: [StoreHandler, FindHandler, MoveHandler, GetHandler, CommitmentHandler],
    },
    {
      provide: DimseListener,
      useFactory: (
        settings: RetrieveConfig, sources: SourceProfiles, metrics: ListenerMetrics, logger: AppLogger, traces: AssociationTraces, services: PerformedServices,
        clock: Clock, exchange: AssociationExchange,
      ) => {
        const offered = { services, acceptContext, acceptRole, acceptQueryExtensions };
        return new DimseListener({ settings, variables: 'VNA_RETRIEVE', offered, sources, metrics, logger, traces, clock, exchange });
      },
      inject: [RetrieveConfig, SourceProfiles, ListenerMetrics, AppLogger, AssociationTraces, PerformedServices, Clock, AssociationExchange],
    },
  ],
  exports: [DimseListener],
})
export class RetrieveModule {}
